#include "persistence/record_codec.hpp"

#include <zstd.h>

#include <optional>

#include "persistence/crc.hpp"
#include "persistence/fields.hpp"

namespace cafmcp::persistence {

namespace {

enum class packing : unsigned char { plain = 0, zstd = 1 };

constexpr std::size_t crc_bytes = 4;
constexpr int zstd_level = 1;  // on the path of every write: speed before size
constexpr unsigned char no_level = 255;

void append_little(std::string& to, std::uint64_t number, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    to += static_cast<char>(number >> (8 * i) & 0xff);
}

// Numbers of a fixed width, one after the other; the caller has checked the size.
class little {
 public:
  explicit little(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t take(unsigned bytes) noexcept {
    std::uint64_t number = 0;
    for (unsigned i = 0; i < bytes; ++i)
      number |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(bytes);
    return number;
  }

 private:
  std::string_view rest_;
};

// Nothing if zstd does not make it smaller.
std::optional<std::string> compressed(std::string_view body) {
  if (body.size() <= plain_bytes)
    return std::nullopt;
  std::string out(::ZSTD_compressBound(body.size()), '\0');
  const auto size = ::ZSTD_compress(out.data(), out.size(), body.data(), body.size(), zstd_level);
  if (::ZSTD_isError(size) || size >= body.size())
    return std::nullopt;
  out.resize(size);
  return out;
}

result<std::string> sealed(const std::string& body, const char* what) {
  if (body.size() > max_encoded_bytes)
    return fail(errc::overloaded, std::string{what} + " of " + std::to_string(body.size()) +
                                      " bytes is larger than " + std::to_string(max_encoded_bytes));
  const auto small = compressed(body);
  std::string out;
  out.reserve((small ? small->size() : body.size()) + 2 + crc_bytes);
  out += static_cast<char>(codec_version);
  out += static_cast<char>(small ? packing::zstd : packing::plain);
  out += small ? *small : body;
  append_little(out, crc_of(out), crc_bytes);
  return out;
}

result<std::string> unpacked(std::string_view packed) {
  const auto size = ::ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > max_encoded_bytes)
    return fail(errc::invalid, "its compressed body says no size, or one that is out of bounds");
  std::string out(size, '\0');
  const auto done = ::ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  if (::ZSTD_isError(done) || done != out.size())
    return fail(errc::invalid, "its compressed body can't be unpacked");
  return out;
}

// The body of what `sealed` has made. `room` holds it if it was compressed.
result<std::string_view> opened(std::string_view bytes, std::string& room) {
  if (bytes.size() < 2 + crc_bytes)
    return fail(errc::invalid, "it has " + std::to_string(bytes.size()) + " bytes, too few to be whole");
  const auto version = static_cast<unsigned char>(bytes[0]);
  const auto body = bytes.substr(2, bytes.size() - 2 - crc_bytes);
  const auto crc = little{bytes.substr(bytes.size() - crc_bytes)}.take(crc_bytes);
  if (crc != crc_of(bytes.substr(0, bytes.size() - crc_bytes)))
    return fail(errc::invalid, version > codec_version
                                   ? "its checksum is wrong, and its version is " + std::to_string(version)
                                   : "its checksum is wrong");
  if (version == 0 || version > codec_version)
    return fail(errc::invalid, "it is of version " + std::to_string(version) + ", this program knows " +
                                   std::to_string(codec_version) + ": was it written by a newer one?");
  switch (static_cast<packing>(bytes[1])) {
    case packing::plain:
      return body;
    case packing::zstd: {
      auto whole = unpacked(body);
      if (!whole)
        return whole.error();
      room = std::move(*whole);
      return std::string_view{room};
    }
  }
  return fail(errc::invalid, "its body is packed in an unknown way");
}

constexpr std::size_t head_bytes = 5 * 8 + 2 + 4;

std::string head_of(const session_record& r) {
  std::string head;
  for (const auto number : {static_cast<std::uint64_t>(r.created_ms),
                            static_cast<std::uint64_t>(r.last_active_ms), r.epoch, r.seq, r.last_outbound})
    append_little(head, number, 8);
  append_little(head, r.protocol.offered, 2);
  append_little(head, r.ended ? 1 : 0, 1);
  append_little(head, static_cast<unsigned char>(r.protocol.phase), 1);
  append_little(head, static_cast<unsigned char>(r.protocol.version), 1);
  append_little(
      head,
      r.protocol.min_level ? static_cast<unsigned char>(*r.protocol.min_level) : std::uint64_t{no_level}, 1);
  return head;
}

bool read_head(session_record& r, std::string_view bytes) {
  if (bytes.size() != head_bytes)
    return false;
  little head{bytes};
  r.created_ms = static_cast<std::int64_t>(head.take(8));
  r.last_active_ms = static_cast<std::int64_t>(head.take(8));
  r.epoch = head.take(8);
  r.seq = head.take(8);
  r.last_outbound = head.take(8);
  r.protocol.offered = static_cast<mcp::capability_set>(head.take(2));
  const auto ended = head.take(1);
  const auto phase = head.take(1);
  const auto version = head.take(1);
  const auto level = head.take(1);
  if (ended > 1 || phase > static_cast<unsigned>(mcp::session_phase::ready) ||
      version < static_cast<unsigned>(mcp::first_session_revision) ||
      version > static_cast<unsigned>(mcp::last_session_revision) ||
      (level != no_level && level > static_cast<unsigned>(mcp::log_level::emergency)))
    return false;
  r.ended = ended == 1;
  r.protocol.phase = static_cast<mcp::session_phase>(phase);
  r.protocol.version = static_cast<mcp::revision>(version);
  if (level != no_level)
    r.protocol.min_level = static_cast<mcp::log_level>(level);
  return true;
}

// The three lists are what is left after the fixed parts: a count, then as many parts as it takes.
std::string body_of(const session_record& r) {
  std::string out;
  append_field(out, head_of(r));
  for (const auto* part : {&r.id, &r.principal, &r.protocol.client_info, &r.protocol.client_capabilities})
    append_field(out, *part);
  append_little(out, r.protocol.subscriptions.size(), 4);
  for (const auto& uri : r.protocol.subscriptions)
    append_field(out, uri);
  append_little(out, r.user.size(), 4);
  for (const auto& [key, value] : r.user) {
    append_field(out, key);
    append_field(out, value);
  }
  append_little(out, r.outbound.size(), 4);
  for (const auto& entry : r.outbound) {
    append_little(out, entry.number, 8);
    append_field(out, entry.stream);
    append_field(out, entry.bytes);
  }
  return out;
}

std::optional<std::uint64_t> take_little(std::string_view& rest, unsigned bytes) noexcept {
  if (rest.size() < bytes)
    return std::nullopt;
  const auto number = little{rest}.take(bytes);
  rest.remove_prefix(bytes);
  return number;
}

bool take_string(std::string_view& rest, std::string& to) {
  const auto part = take_field(rest);
  if (part)
    to = *part;
  return part.has_value();
}

bool read_lists(session_record& r, std::string_view& rest) {
  auto count = take_little(rest, 4);
  for (std::uint64_t i = 0; count && i < *count; ++i) {
    std::string uri;
    if (!take_string(rest, uri))
      return false;
    r.protocol.subscriptions.insert(std::move(uri));
  }
  if (count)
    count = take_little(rest, 4);
  for (std::uint64_t i = 0; count && i < *count; ++i) {
    std::string key, value;
    if (!take_string(rest, key) || !take_string(rest, value))
      return false;
    r.user.emplace(std::move(key), std::move(value));
  }
  if (count)
    count = take_little(rest, 4);
  for (std::uint64_t i = 0; count && i < *count; ++i) {
    outbound_entry entry;
    const auto number = take_little(rest, 8);
    if (!number || !take_string(rest, entry.stream) || !take_string(rest, entry.bytes))
      return false;
    entry.number = *number;
    r.outbound.push_back(std::move(entry));
  }
  return count.has_value();
}

}  // namespace

result<std::string> encode(const session_record& record) {
  return sealed(body_of(record), "a session's record");
}

result<session_record> decode(std::string_view bytes) {
  std::string room;
  const auto body = opened(bytes, room);
  if (!body)
    return body.error();
  session_record r;
  auto rest = *body;
  const auto head = take_field(rest);
  if (!head || !read_head(r, *head) || !take_string(rest, r.id) || !take_string(rest, r.principal) ||
      !take_string(rest, r.protocol.client_info) || !take_string(rest, r.protocol.client_capabilities) ||
      !read_lists(r, rest) || !rest.empty())
    return fail(errc::invalid, "its parts make no record");
  return r;
}

result<std::string> encode_operations(std::span<const operation> operations) {
  std::string body;
  append_little(body, operations.front().bucket, 4);
  append_field(body, operations.front().session);
  append_little(body, operations.size(), 4);
  for (const auto& op : operations) {
    append_little(body, op.epoch, 8);
    append_little(body, op.seq, 8);
    append_little(body, static_cast<unsigned char>(op.kind), 1);
    append_field(body, op.bytes);
  }
  return sealed(body, "a batch of operations");
}

result<std::vector<operation>> decode_operations(std::string_view bytes) {
  std::string room;
  const auto body = opened(bytes, room);
  if (!body)
    return body.error();
  const auto senseless = fail(errc::invalid, "its parts make no operations");
  std::vector<operation> out;
  auto rest = *body;
  operation op;
  const auto bucket = take_little(rest, 4);
  if (!bucket || *bucket >= bucket_count || !take_string(rest, op.session))
    return senseless;
  op.bucket = static_cast<std::uint32_t>(*bucket);
  const auto count = take_little(rest, 4);
  for (std::uint64_t i = 0; count && i < *count; ++i) {
    const auto epoch = take_little(rest, 8);
    const auto seq = take_little(rest, 8);
    const auto kind = take_little(rest, 1);
    if (!kind || !take_string(rest, op.bytes))
      return senseless;
    op.epoch = *epoch;
    op.seq = *seq;
    op.kind = static_cast<op_kind>(*kind);
    out.push_back(op);
  }
  if (out.empty() || !rest.empty())
    return senseless;
  return out;
}

}  // namespace cafmcp::persistence
