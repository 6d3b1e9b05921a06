#pragma once
// A node as a program: flags, signals, exit codes. 0: stopped as asked; 1: could not start, or had to give
// up; 2: wrong usage or configuration.

#include <vector>

#include "sdk/server.hpp"

namespace cafmcp::node {

/// Runs one node until it is told to stop, with these native servers besides the configured ones. From
/// `main`.
int run_program(int argc, char** argv, std::vector<sdk::server> servers);

}  // namespace cafmcp::node
