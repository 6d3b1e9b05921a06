// Records: apply of operations that are decoded from the input, well-formed ones and others.
#include "persistence/record.hpp"

#include <algorithm>
#include <vector>

#include "persistence/fields.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace cafmcp;
using namespace cafmcp::persistence;

constexpr std::size_t most_operations = 48;

/// Takes the input apart: what is missing at its end is zero.
class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}

  /// Texts as long as a bound that one input may ask for: they take time.
  static constexpr int most_long = 2;

  bool done() const { return rest_.empty(); }

  std::uint8_t byte() { return done() ? 0 : static_cast<std::uint8_t>(take(1)[0]); }

  std::uint64_t number() {
    std::uint64_t n = 0;
    for (const char c : take(byte() % 9))
      n = n << 8 | static_cast<unsigned char>(c);
    return n;
  }

  /// Up to 15 bytes of the input, or as many as a bound has, or one more.
  std::string text(std::size_t bound) {
    const auto length = byte();
    if (length >= 0xfe && (bound < 1000 || long_++ < most_long))
      return std::string(bound + (length & 1), 'x');
    return std::string(take(length % 16));
  }

 private:
  std::string_view take(std::size_t n) {
    const auto out = rest_.substr(0, n);
    rest_.remove_prefix(out.size());
    return out;
  }

  std::string_view rest_;
  int long_ = 0;
};

// Well-formed bytes for any kind.
std::string made_bytes(op_kind kind, reader& in) {
  switch (kind) {
    case op_kind::create:
      return create_bytes(in.text(64), static_cast<std::int64_t>(in.number()));
    case op_kind::protocol: {
      const auto what = static_cast<mcp::change_kind>(in.byte() % 12);
      return protocol_bytes({what, in.text(64)});
    }
    case op_kind::put: {
      const auto key = in.text(max_key_bytes);
      return put_bytes(key, in.text(max_value_bytes));
    }
    case op_kind::remove:
      return remove_bytes(in.text(max_key_bytes));
    case op_kind::outbound: {
      const auto stream = in.text(64);
      return outbound_bytes(stream, in.text(64));
    }
    case op_kind::trim:
      return trim_bytes(in.number());
    case op_kind::touch:
      return touch_bytes(static_cast<std::int64_t>(in.number()));
    case op_kind::end:
      return end_bytes(in.text(64), static_cast<std::int64_t>(in.number()));
  }
  return in.text(64);
}

bool in_order(const std::deque<outbound_entry>& log, std::uint64_t last) {
  for (std::size_t i = 1; i < log.size(); ++i)
    if (log[i].number != log[i - 1].number + 1)
      return false;
  return log.empty() || (log.front().number > 0 && log.back().number == last);
}

// What holds for every record.
void check_record(const session_record& r, std::string_view about) {
  FUZZ_CHECK(r.user.size() <= max_user_keys, about);
  for (const auto& [key, value] : r.user)
    FUZZ_CHECK(key.size() <= max_key_bytes && value.size() <= max_value_bytes, about);
  FUZZ_CHECK(in_order(r.outbound, r.last_outbound), about);
  if (r.ended)
    FUZZ_CHECK(r.user.empty() && r.outbound.empty() && r.protocol == mcp::session_state{}, about);
  if (r.seq == 0)
    FUZZ_CHECK(r == session_record{}, about);
}

// Parts that were read are what they would be written as.
void check_fields(std::string_view bytes) {
  if (const auto one = fields_in<1>(bytes)) {
    std::string again;
    append_field(again, (*one)[0]);
    FUZZ_CHECK(again == bytes, bytes);
    if (const auto n = number_in((*one)[0]))
      FUZZ_CHECK(trim_bytes(*n) == bytes, bytes);
  }
  if (const auto two = fields_in<2>(bytes)) {
    FUZZ_CHECK(put_bytes((*two)[0], (*two)[1]) == bytes, bytes);
    FUZZ_CHECK(!fields_in<1>(bytes) && !fields_in<3>(bytes), bytes);
  }
}

/// A record under test, and the operations that it took.
class history {
 public:
  /// False when that is enough: a full record takes long to compare.
  bool take(reader& in) {
    if (filled_ && ++since_filled_ > 6)
      return false;
    const auto control = in.byte();
    const auto kind = static_cast<op_kind>(control & 15);
    // Many puts at once, which take long: so it takes more than a stray byte to ask for them.
    if (kind == static_cast<op_kind>(15) && in.text(0) == "fill") {
      fill();
      return true;
    }
    operation op{0, std::max<std::uint64_t>(record_.epoch, 1), record_.seq + 1, "s", kind, {}};
    // Mostly the operation that is next, so that a session lives for a while.
    const auto how = (control >> 4) & 7;
    if (how == 1)
      op.seq = in.number();
    if (how == 2)
      op.epoch = in.number();
    if (how == 3)
      op.session = in.text(64);
    op.bucket = bucket_of(op.session);
    op.bytes = control < 128 ? made_bytes(kind, in) : in.text(64);
    carry_out(op);
    return true;
  }

  void finish(std::string_view about) const {
    session_record again;
    for (const auto& op : log_)
      FUZZ_CHECK(apply(again, op).has_value(), about);
    FUZZ_CHECK(again == record_, about);
  }

 private:
  // As many keys as fit, and some more.
  void fill() {
    if (filled_)
      return;
    filled_ = true;
    for (std::size_t i = 0; i < max_user_keys + 2; ++i) {
      operation op{0,          record_.epoch, record_.seq + 1,
                   record_.id, op_kind::put,  put_bytes("n" + std::to_string(i), "1")};
      const bool full =
          record_.user.size() == max_user_keys && !record_.user.contains("n" + std::to_string(i));
      const auto done = apply(record_, op);
      if (full)
        FUZZ_CHECK(!done, "a record that is full");
      if (done)
        log_.push_back(std::move(op));
    }
    check_record(record_, "a record that was filled");
  }

  void carry_out(const operation& op) {
    const auto before = record_;
    const auto done = apply(record_, op);
    check_record(record_, op.bytes);
    check_fields(op.bytes);
    if (!done) {
      FUZZ_CHECK(record_ == before && !done.error().message.empty(), op.bytes);
      const auto code = done.error().code;
      FUZZ_CHECK(code == errc::conflict || code == errc::invalid || code == errc::overloaded, op.bytes);
      return;
    }
    FUZZ_CHECK(record_.seq == before.seq + 1 && record_.epoch == op.epoch, op.bytes);
    FUZZ_CHECK(op.epoch >= before.epoch && !before.ended, op.bytes);
    FUZZ_CHECK((op.kind == op_kind::create) == (before.seq == 0), op.bytes);
    FUZZ_CHECK(before.seq == 0 || (record_.id == before.id && record_.principal == before.principal &&
                                   record_.created_ms == before.created_ms),
               op.bytes);
    FUZZ_CHECK(record_.last_outbound == before.last_outbound + (op.kind == op_kind::outbound ? 1 : 0),
               op.bytes);
    log_.push_back(op);
    // An operation that is repeated, as after a retry, does nothing.
    FUZZ_CHECK(!apply(record_, op), op.bytes);
  }

  session_record record_;
  std::vector<operation> log_;
  bool filled_ = false;
  int since_filled_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  check_fields(bytes);
  reader in(bytes);
  history all;
  for (std::size_t n = 0; n < most_operations && !in.done() && all.take(in); ++n) {
  }
  all.finish(bytes);
  return 0;
}
