#pragma once
// What is said to etcd's JSON gateway, and what it says: requests as texts, and answers that may be anything,
// since whoever listens there may not be etcd. Keys and values are base64 and 64-bit integers are texts;
// fields that are 0, false or empty are left out. Pure functions.
// Source: etcd 3.4, "gRPC gateway", https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/core/facts.hpp"

namespace cafmcp::cluster {

/// What became of a call.
struct etcd_reply {
  enum class kind : std::uint8_t {
    done,       ///< `answer` is what etcd says
    compacted,  ///< that revision is forgotten; nothing has happened
    denied,     ///< etcd says no, and would again; nothing has happened
    login,      ///< it wants another token; nothing has happened
    not_now,    ///< this member can't, another might, or this one later; nothing has happened
    never,      ///< nobody was asked
    maybe,      ///< it may have happened
  };
  kind what = kind::never;
  nlohmann::json answer = {};
  std::string why = {};
  std::size_t endpoint = 0;  ///< who has answered
};

/// What the answer with this HTTP status and this body is.
etcd_reply classify(unsigned status, std::string_view body);

/// What an error in a stream, or of a whole answer, means.
etcd_reply::kind meaning_of(std::string_view message, std::int64_t grpc_code);

/// What every answer begins with.
struct etcd_header {
  std::string cluster;
  revision at = 0;
};

/// The answer to a range.
struct etcd_range {
  etcd_header header;
  std::vector<fact> facts;
  bool more = false;
  std::int64_t count = 0;  ///< of all that were asked for, whether or not they are in `facts`
};

/// What a watch says.
struct etcd_watch_message {
  etcd_header header;
  bool created = false;
  bool canceled = false;
  revision compacted = 0;  ///< it begins too early: older changes are forgotten
  std::string why;         ///< of an error, or why it is canceled
  etcd_reply::kind meaning = etcd_reply::kind::done;
  std::vector<fact_event> events;
};

// Nothing, where an answer isn't what it should be.
std::optional<etcd_header> parse_header(const nlohmann::json& answer);
std::optional<etcd_range> parse_range(const nlohmann::json& answer);
std::optional<etcd_watch_message> parse_watch(std::string_view line);

/// The first key behind all that begin with `prefix`; a null byte, which etcd takes for "to the end", if
/// there is none.
std::string end_of_prefix(std::string prefix);

/// All keys under `prefix` from `from` on (empty: from the first), `limit` at most, as they were at `at` (0:
/// now).
std::string range_request(const std::string& prefix, const std::string& from, std::size_t limit, revision at);

/// How many keys there are under `prefix`, and which was changed last.
std::string newest_request(const std::string& prefix);

std::string transaction_request(const transaction& what);
std::string watch_request(const std::string& prefix, revision from);
std::string login_request(const std::string& user, const std::string& password);

}  // namespace cafmcp::cluster
