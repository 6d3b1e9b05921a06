// What a stranger may say to the cluster port, and what may be read of it.
#include "cluster/runtime/link/handshake.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace cafmcp;
using namespace cafmcp::cluster;

hello self() {
  hello h;
  h.node = "node-a";
  h.id = "id";
  h.incarnation = 7;
  h.version = 3;
  h.min_version = 2;
  h.window_bytes = h.actor_bytes = h.message_bytes = 1 << 20;
  return h;
}

void talk(bool dialer, std::string_view bytes) {
  handshake side{dialer, self(), "the secret"};
  for (auto rest = bytes; rest.size() >= handshake_header_bytes;) {
    const auto head = decode_header(rest);
    if (!head)
      return;
    FUZZ_CHECK(head->first <= max_handshake_bytes, bytes);
    rest.remove_prefix(handshake_header_bytes);
    const auto body = rest.substr(0, head->first);
    rest.remove_prefix(body.size());
    const auto answer = side.receive(head->second, body);
    // Who doesn't know the secret proves nothing.
    FUZZ_CHECK(side.state() == handshake_state::talking, bytes);
    if (!answer) {
      FUZZ_CHECK(!answer.error().message.empty() && answer.error().message.size() < 1000, bytes);
      for (const char c : answer.error().message)
        FUZZ_CHECK(c >= ' ' || c < 0, bytes);
      return;
    }
    FUZZ_CHECK(answer->size() <= max_handshake_bytes + handshake_header_bytes, bytes);
    if (!side.peer().node.empty())
      FUZZ_CHECK(side.peer().node.size() <= 63, bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  talk(true, bytes);
  talk(false, bytes);
  return 0;
}
