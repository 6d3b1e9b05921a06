#pragma once
// A node with servers of your own in it: all that a program needs to include. The program takes the flags,
// the environment and the configuration file of cafmcpd, and behaves as that does in everything: ready line,
// signals, exit codes.

#include <vector>

#include "sdk/server.hpp"

namespace cafmcp::sdk {

/// Runs a node with these servers besides the configured ones, until it is told to end; returns the exit code
/// of the program: 0 after SIGTERM or SIGINT, 1 if the node can't start or fails, 2 for bad flags or
/// configuration, or for servers with errors (each is named on standard error) or with equal names. To be
/// called once, from `main`.
int run(int argc, char** argv, std::vector<server> servers);

}  // namespace cafmcp::sdk
