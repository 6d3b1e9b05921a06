#include "node/program.hpp"

int main(int argc, char** argv) {
  return cafmcp::node::run_program(argc, argv, {});
}
