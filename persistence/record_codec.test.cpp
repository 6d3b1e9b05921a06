#define CAF_SUITE record_codec

#include "persistence/record_codec.hpp"

#include <boost/crc.hpp>
#include <random>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::persistence;

namespace {

std::string any_text(std::mt19937& random, std::size_t most) {
  std::string out(random() % (most + 1), '\0');
  const bool noise = random() % 2 == 0;
  for (auto& c : out)
    c = static_cast<char>(noise ? random() : 'a' + random() % 4);
  return out;
}

std::uint64_t any_number(std::mt19937& random) {
  return (std::uint64_t{random()} << 32 | random()) >> random() % 64;
}

session_record any_record(std::mt19937& random, std::size_t size) {
  session_record r;
  r.id = any_text(random, 60);
  r.principal = any_text(random, 40);
  r.created_ms = static_cast<std::int64_t>(any_number(random));
  r.last_active_ms = static_cast<std::int64_t>(any_number(random));
  r.epoch = any_number(random);
  r.seq = any_number(random);
  r.ended = random() % 2 == 0;
  r.protocol.phase = static_cast<mcp::session_phase>(random() % 3);
  r.protocol.version = static_cast<mcp::revision>(1 + random() % 4);
  r.protocol.offered = static_cast<mcp::capability_set>(random());
  r.protocol.client_info = any_text(random, size);
  r.protocol.client_capabilities = any_text(random, size);
  if (random() % 2 == 0)
    r.protocol.min_level = static_cast<mcp::log_level>(random() % 8);
  for (auto n = random() % 4; n > 0; --n)
    r.protocol.subscriptions.insert(any_text(random, size));
  for (auto n = random() % 5; n > 0; --n)
    r.user.emplace(any_text(random, 30), any_text(random, size));
  for (auto n = random() % 5; n > 0; --n)
    r.outbound.push_back({any_number(random), any_text(random, 20), any_text(random, size)});
  r.last_outbound = any_number(random);
  return r;
}

operation any_operation(std::mt19937& random, std::size_t size) {
  return {static_cast<std::uint32_t>(random() % bucket_count),
          any_number(random),
          any_number(random),
          any_text(random, 60),
          static_cast<op_kind>(1 + random() % 8),
          any_text(random, size)};
}

// Of one session, as they are kept together.
std::vector<operation> any_batch(std::mt19937& random, std::size_t size) {
  std::vector<operation> batch(1 + random() % 4, any_operation(random, size));
  for (auto& op : batch) {
    auto other = any_operation(random, size);
    other.bucket = op.bucket;
    other.session = op.session;
    op = std::move(other);
  }
  return batch;
}

// The same bytes with another version or packing, and a checksum that fits.
std::string with_byte(std::string bytes, std::size_t at, unsigned char value) {
  bytes[at] = static_cast<char>(value);
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size() - 4);
  for (unsigned i = 0; i < 4; ++i)
    bytes[bytes.size() - 4 + i] = static_cast<char>(crc.checksum() >> (8 * i) & 0xff);
  return bytes;
}

}  // namespace

CAF_TEST(random records and operations come back as they were) {
  std::mt19937 random{11};
  for (int i = 0; i < 2000; ++i) {
    const auto size = i % 10 == 0 ? std::size_t{5000} : std::size_t{80};
    const auto record = any_record(random, size);
    const auto read = decode(encode(record).value());
    CAF_REQUIRE(read.has_value());
    CAF_REQUIRE(*read == record);
    const auto batch = any_batch(random, size);
    const auto again = decode_operations(encode_operations(batch).value());
    CAF_REQUIRE(again.has_value());
    CAF_REQUIRE(*again == batch);
  }
}

CAF_TEST(what was cut short or changed is an error) {
  std::mt19937 random{12};
  for (int i = 0; i < 40; ++i) {
    const auto size = i % 10 == 0 ? std::size_t{3000} : std::size_t{40};
    const auto record = encode(any_record(random, size)).value();
    const auto op = encode_operations(any_batch(random, size)).value();
    for (const auto* bytes : {&record, &op}) {
      const auto wrong = [&](std::string_view b) {
        return bytes == &record ? !decode(b).has_value() : !decode_operations(b).has_value();
      };
      for (std::size_t cut = 0; cut < bytes->size(); cut += 1 + bytes->size() / 200)
        CAF_REQUIRE(wrong(std::string_view{*bytes}.substr(0, cut)));
      CAF_REQUIRE(wrong(*bytes + '\0'));
      for (std::size_t bit = 0; bit < 8 * bytes->size(); bit += 1 + bytes->size() / 100) {
        auto flipped = *bytes;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        CAF_REQUIRE(wrong(flipped));
      }
    }
  }
}

CAF_TEST(bytes with a right checksum and a wrong body are an error or a record) {
  std::mt19937 random{13};
  int errors = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto bytes = encode(any_record(random, i % 5 == 0 ? 2000 : 30)).value();
    const auto at = 2 + random() % (bytes.size() - 6);
    errors += !decode(with_byte(bytes, at, static_cast<unsigned char>(random())));
    const auto op = encode_operations(any_batch(random, 30)).value();
    errors += !decode_operations(with_byte(op, 2 + random() % (op.size() - 6), 255));
  }
  CAF_CHECK(errors > 100);
}

CAF_TEST(a newer version is refused by its name) {
  std::mt19937 random{14};
  const auto bytes = encode(any_record(random, 10)).value();
  const auto newer = decode(with_byte(bytes, 0, codec_version + 1));
  CAF_REQUIRE(!newer);
  CAF_CHECK(newer.error().code == errc::invalid);
  CAF_CHECK(newer.error().message.find("version 2") != std::string::npos);
  CAF_CHECK(!decode(with_byte(bytes, 0, 0)));
  CAF_CHECK(!decode(with_byte(bytes, 1, 2)));
  CAF_CHECK(!decode(with_byte(bytes, 1, 1)));  // plain bytes that claim to be compressed
}

CAF_TEST(a session as the official client makes it is small) {
  session_record r;
  const std::string id = "0123456789abcdef0123456789abcdef";
  const auto run = [&](op_kind kind, std::string bytes) {
    const auto done = apply(r, {bucket_of(id), 1, r.seq + 1, id, kind, std::move(bytes)});
    CAF_REQUIRE(done.has_value());
  };
  run(op_kind::create, create_bytes("", 1'700'000'000'000));
  for (auto& change :
       std::vector<mcp::change>{{mcp::change_kind::initialize, "2025-11-25"},
                                {mcp::change_kind::offered, "63"},
                                {mcp::change_kind::client_info, R"({"name":"mcp-client","version":"1.0.0"})"},
                                {mcp::change_kind::client_capabilities, "{}"},
                                {mcp::change_kind::ready, ""}})
    run(op_kind::protocol, protocol_bytes(change));
  const auto bytes = encode(r).value();
  CAF_MESSAGE("a record of " << bytes.size() << " bytes");
  CAF_CHECK(bytes.size() < 200u);
  CAF_CHECK(decode(bytes).value() == r);
}

CAF_TEST(what is large is compressed and bounded) {
  session_record r;
  r.user["k"] = std::string(1 << 20, '1');
  const auto small = encode(r).value();
  CAF_CHECK(small.size() < 10'000u);
  CAF_CHECK(decode(small).value() == r);
  for (int i = 0; i < 64; ++i)
    r.user["k" + std::to_string(i)] = std::string(1 << 20, '1');
  const auto refused = encode(r);
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == errc::overloaded);
}
