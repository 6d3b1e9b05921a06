#pragma once
// From the configuration to what sessions and `/mcp` work with. Pure, but for what it makes.

#include <string>

#include "actors/session_environment.hpp"
#include "config/settings.hpp"
#include "supervisors/runtime.hpp"
#include "transport/streamable_http_options.hpp"

namespace cafmcp::node {

/// Store, registry, directory and bounds for the sessions of one node. `url` is what clients reach `/mcp` by.
actors::environment_ptr make_sessions(const config::settings& settings, otp::runtime& runtime,
                                      const std::string& url);

/// What `/mcp` lets clients do.
transport::mcp_options make_mcp_options(const config::settings& settings,
                                        std::shared_ptr<transport::metrics> counters);

}  // namespace cafmcp::node
