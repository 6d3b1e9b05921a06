#pragma once
// What the commands of cafmcpctl share, and their functions for the table. A command asks the admin API,
// prints the answer, and gives back an exit code. Not thread-safe.

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "admin/ctl_commands.hpp"

namespace cafmcp::admin {

/// Draws an answer for people.
using ctl_drawing = std::string (*)(const nlohmann::ordered_json& body, bool colours);

/// `text` percent-encoded for a query.
std::string encoded(std::string_view text);

/// Asks the API (`path` is behind /admin/api/v1/; a body makes it a POST). A refusal is printed and becomes
/// the exit code.
int ask(const ctl_session& session, const std::string& path, const nlohmann::ordered_json* post,
        nlohmann::ordered_json& answer, std::ostream& err);

/// Prints an answer, as JSON or drawn.
void print(const ctl_session& session, const nlohmann::ordered_json& answer, std::ostream& out,
           ctl_drawing draw);

/// Asks and prints.
int show(const ctl_session& session, const std::string& path, std::ostream& out, std::ostream& err,
         ctl_drawing draw);

// The functions of the table.
int run_session_list(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_session_show(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_session_kill(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_why(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_server_list(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_store_stats(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_cluster(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_leave(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_node_remove(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);
int run_store_check(const ctl_session&, const ctl_arguments&, std::ostream& out, std::ostream& err);

}  // namespace cafmcp::admin
