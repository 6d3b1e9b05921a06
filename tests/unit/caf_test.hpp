#pragma once
// CAF's test framework in the order in which it works: `dsl.hpp` of 0.17.6 uses an undefined FAIL, and has to
// come last. A test file defines CAF_SUITE (letters, digits, '_' and '.') and then includes this header after
// all others.
#include "caf/test/unit_test.hpp"
#ifndef FAIL
#define FAIL CAF_FAIL
#endif
#include "caf/test/dsl.hpp"
