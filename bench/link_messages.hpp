#pragma once
// What `link` and `basp` send from process to process: the same messages, actors and counts, over our links
// and over CAF's own network. Values.

#include <caf/allowed_unsafe_message_type.hpp>
#include <cstdint>
#include <string>

namespace cafmcp::bench {

/// What is sent back, or counted.
struct blob {
  std::string bytes;
};
template <class F>
typename F::result_type inspect(F& f, blob& x) {
  return f(x.bytes);
}

/// Asks the receiver of blobs what has come since it was asked last → `arrived`.
struct count_wanted {
  std::uint32_t unused = 0;
};
template <class F>
typename F::result_type inspect(F& f, count_wanted& x) {
  return f(x.unused);
}

struct arrived {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};
template <class F>
typename F::result_type inspect(F& f, arrived& x) {
  return f(x.messages, x.bytes);
}

/// So many bytes of blobs have been taken: for senders over a network that has no flow control.
struct taken {
  std::uint64_t bytes = 0;
};
template <class F>
typename F::result_type inspect(F& f, taken& x) {
  return f(x.bytes);
}

/// To an actor of this process: begin, or go on.
struct go_on {};

}  // namespace cafmcp::bench

// What is allowed so is left out by CAF's serializers, which only `basp` uses.
#ifndef CAFMCP_BENCH_BASP
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::blob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::count_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::taken)
#endif
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::go_on)
