#pragma once
// From the configuration to what sessions and `/mcp` work with.

#include <string>

#include "actors/session_environment.hpp"
#include "config/settings.hpp"
#include "persistence/sqlite_store.hpp"
#include "supervisors/runtime.hpp"
#include "transport/streamable_http_options.hpp"

namespace cafmcp::node {

/// Opens the store in the data directory, which may take a while after a crash. The error is one line for the
/// user.
result<std::shared_ptr<persistence::sqlite_store>> open_store(const config::settings& settings);

/// Registry, directory and bounds for the sessions of one node. `url` is what clients reach `/mcp` by.
actors::environment_ptr make_sessions(const config::settings& settings, otp::runtime& runtime,
                                      std::shared_ptr<persistence::session_store> store,
                                      const std::string& url);

/// What `/mcp` lets clients do.
transport::mcp_options make_mcp_options(const config::settings& settings,
                                        std::shared_ptr<transport::metrics> counters);

}  // namespace cafmcp::node
