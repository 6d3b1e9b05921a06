#define CAF_SUITE frame

#include "cluster/runtime/link/frame.hpp"

#include "cluster/runtime/link/send_lanes.hpp"
#include "cluster/runtime/link/slot_table.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::cluster;

namespace {

using outcome = frame_reader::outcome;

void feed(frame_reader& in, std::string_view bytes) {
  const auto room = in.space();
  CAF_REQUIRE(room.size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.data());
  in.filled(bytes.size());
}

std::vector<std::pair<frame_kind, std::string>> frames_in(const std::string& bytes) {
  std::vector<std::pair<frame_kind, std::string>> out;
  frame_reader in{1 << 20};
  feed(in, bytes);
  frame f;
  std::string body;
  while (in.next(f) == outcome::frame) {
    body.append(f.body);
    if (!f.more)
      out.emplace_back(f.kind, std::exchange(body, {}));
  }
  return out;
}

}  // namespace

CAF_TEST(frames come out as they went in whatever pieces they come in) {
  std::string bytes;
  append_frame(bytes, frame_kind::ping, "p");
  append_frame(bytes, frame_kind::message, std::string(1000, 'm'), true);
  append_frame(bytes, frame_kind::message, "");
  for (const std::size_t piece : {1u, 5u, 6u, 7u, 999u, 5000u}) {
    frame_reader in{1000};
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      feed(in, std::string_view{bytes}.substr(at, piece));
      frame f;
      while (in.next(f) == outcome::frame)
        seen.push_back(std::to_string(static_cast<int>(f.kind)) + (f.more ? "+" : "") +
                       std::to_string(f.body.size()));
    }
    CAF_CHECK_EQUAL(seen, (std::vector<std::string>{"11", "18+1000", "180"}));
  }
}

CAF_TEST(a frame that is too long or has flags that nobody knows breaks the stream) {
  std::string bytes;
  append_frame(bytes, frame_kind::message, std::string(1001, 'm'));
  frame_reader in{1000};
  feed(in, bytes.substr(0, frame_header_bytes));  // its length is enough
  frame f;
  CAF_CHECK(in.next(f) == outcome::broken);
  CAF_CHECK(in.next(f) == outcome::broken);
  frame_reader flags{1000};
  bytes.clear();
  append_frame(bytes, frame_kind::message, "m");
  bytes[5] = 2;
  feed(flags, bytes);
  CAF_CHECK(flags.next(f) == outcome::broken);
}

CAF_TEST(there is always room for the rest of a frame) {
  frame_reader in{1000};
  std::string bytes;
  append_frame(bytes, frame_kind::message, std::string(1000, 'm'));
  frame f;
  for (int i = 0; i < 10'000; ++i) {
    feed(in, bytes);
    CAF_REQUIRE(in.next(f) == outcome::frame);
  }
  CAF_CHECK(!in.space().empty());
}

CAF_TEST(data goes as far as the credit and in order) {
  backlog waiting{1 << 20};
  send_lanes lanes{100, waiting};
  lanes.add_credit(106 + 106 + 56 + 15);  // one byte less than both need
  waiting.force(250 + 10 + 2 * backlog::message_bytes);
  lanes.data(frame_kind::message, {}, std::string(250, 'a'));
  lanes.data(frame_kind::request, message_head{}.put('a').put('b'), "cdefghij");
  std::string out;
  CAF_CHECK(lanes.take(out));
  const auto first = frames_in(out);
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK_EQUAL(first[0].second, std::string(250, 'a'));
  CAF_CHECK_EQUAL(waiting.bytes(), 10u + backlog::message_bytes);
  CAF_CHECK(!lanes.take(out));
  lanes.add_credit(1);
  CAF_CHECK(lanes.take(out));
  const auto second = frames_in(out);
  CAF_REQUIRE_EQUAL(second.size(), 1u);
  CAF_CHECK_EQUAL(second[0].second, "abcdefghij");
  CAF_CHECK_EQUAL(waiting.bytes(), 0u);
}

CAF_TEST(what has no credit waits and control does not ) {
  backlog waiting{1 << 20};
  send_lanes lanes{100, waiting};
  waiting.force(10 + backlog::message_bytes);
  lanes.data(frame_kind::message, {}, std::string(10, 'a'));
  lanes.control(frame_kind::ping, "p");
  std::string out;
  CAF_CHECK(lanes.take(out));
  CAF_CHECK_EQUAL(frames_in(out).size(), 1u);
  CAF_CHECK_EQUAL(waiting.bytes(), 10u + backlog::message_bytes);
  lanes.add_credit(16);
  lanes.control(frame_kind::pong, "p");
  CAF_CHECK(lanes.take(out));
  const auto both = frames_in(out);
  CAF_REQUIRE_EQUAL(both.size(), 2u);
  CAF_CHECK(both[0].first == frame_kind::pong);
  CAF_CHECK(both[1].first == frame_kind::message);
  CAF_CHECK_EQUAL(waiting.bytes(), 0u);
}

CAF_TEST(control that nobody reads has a bound) {
  backlog waiting{1 << 20};
  send_lanes lanes{100, waiting};
  int n = 0;
  while (lanes.control(frame_kind::pong, std::string(10, 'p')) && n < 1'000'000)
    ++n;
  CAF_CHECK(n < 1'000'000);
  std::string out;
  CAF_CHECK(lanes.take(out));
  CAF_CHECK(out.size() <= send_lanes::max_control_bytes + 32);
}

CAF_TEST(what is forgotten no longer counts) {
  backlog waiting{100};
  send_lanes lanes{100, waiting};
  CAF_CHECK(waiting.reserve(60));
  CAF_CHECK(!waiting.reserve(60));
  CAF_CHECK(waiting.force(60));
  CAF_CHECK(!waiting.force(100));
  waiting.release(220);
  waiting.force(120 + backlog::message_bytes);
  lanes.data(frame_kind::message, {}, std::string(120, 'a'));
  lanes.clear();
  CAF_CHECK_EQUAL(waiting.bytes(), 0u);
}

CAF_TEST(a slot that is used again has another number) {
  slot_table<std::string> table{2};
  const auto a = table.insert("a");
  const auto b = table.insert("b");
  CAF_CHECK(a != 0 && b != 0 && a != b);
  CAF_CHECK_EQUAL(table.insert("c"), 0u);
  CAF_CHECK(*table.find(a) == "a");
  table.erase(a);
  CAF_CHECK(table.find(a) == nullptr);
  const auto c = table.insert("c");
  CAF_CHECK(c != a && (c & slot_mask) == (a & slot_mask));
  CAF_CHECK(table.find(a) == nullptr);
  CAF_CHECK(table.find(0) == nullptr);
  CAF_CHECK(table.find(~0ULL) == nullptr);
  CAF_CHECK_EQUAL(table.size(), 2u);
}
