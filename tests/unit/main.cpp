// The main() of every unit test program: CAF's test runner.
#include "caf/test/unit_test_impl.hpp"
