#include "persistence/wal_check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace cafmcp::persistence {

namespace {

// https://www.sqlite.org/fileformat2.html#walformat
constexpr std::size_t header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;
constexpr std::uint32_t min_page_bytes = 512;
constexpr std::uint32_t max_page_bytes = 65'536;
constexpr std::uint32_t magic_number = 0x377f0682;  // or one more: checksums of big-endian words
constexpr std::uint32_t format_version = 3'007'000;

std::uint32_t number_at(std::string_view bytes, std::size_t at, bool big_endian = true) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i)
    out = out << 8 | static_cast<unsigned char>(bytes[at + (big_endian ? i : 3 - i)]);
  return out;
}

struct checksum {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  bool operator==(const checksum&) const = default;
};

checksum checksum_at(std::string_view bytes, std::size_t at) {
  return {number_at(bytes, at), number_at(bytes, at + 4)};
}

checksum add(checksum sum, std::string_view bytes, bool big_endian) {
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    sum.a += number_at(bytes, i, big_endian) + sum.b;
    sum.b += number_at(bytes, i + 4, big_endian) + sum.a;
  }
  return sum;
}

struct closer {
  void operator()(std::FILE* f) const noexcept { std::fclose(f); }
};
using file = std::unique_ptr<std::FILE, closer>;

// The next bytes, fewer at the end of the file. False, with `errno`: they can't be read.
bool read(const file& from, std::size_t bytes, std::string& to) {
  to.resize(bytes);
  to.resize(std::fread(to.data(), 1, bytes, from.get()));
  return std::ferror(from.get()) == 0;
}

struct wal_header {
  std::size_t page_bytes = 0;
  bool big_endian = false;
  std::string salts;
  checksum sum;
};

// What is wrong with it, or nothing.
const char* parse(std::string_view bytes, wal_header& to) {
  const auto magic = number_at(bytes, 0);
  to.page_bytes = number_at(bytes, 8);
  to.big_endian = magic == magic_number + 1;
  to.salts = bytes.substr(16, 8);
  to.sum = checksum_at(bytes, 24);
  if (magic != magic_number && !to.big_endian)
    return "it does not begin as a log does";
  if (add({}, bytes.substr(0, 24), to.big_endian) != to.sum)
    return "the checksum of its header is wrong";
  if (to.page_bytes < min_page_bytes || to.page_bytes > max_page_bytes ||
      (to.page_bytes & (to.page_bytes - 1)) != 0)
    return "its header has an impossible page size";
  return number_at(bytes, 4) == format_version ? nullptr : "its header has an unknown version";
}

// Goes from frame to frame.
class walk {
 public:
  explicit walk(const wal_header& header) : header_(header), stored_(header.sum), computed_(header.sum) {}

  // The next frame. The last one may be cut off.
  void take(std::string_view frame) {
    ++frame_;
    const bool ours = frame.size() >= 16 && frame.substr(8, 8) == header_.salts;
    last_ = ours ? frame_ : last_;
    if (frame.size() < frame_header_bytes + header_.page_bytes)
      return;
    const auto stored = checksum_at(frame, 16);
    const auto computed = sum_of(stored_, frame);
    const bool usable = ours && number_at(frame, 0) != 0;
    bool ends = number_at(frame, 4) != 0;  // the size of the file behind a transaction, in its last frame
    if (broken_ != 0) {
      // Of the broken frame it may be the stored checksum alone that is wrong.
      const bool follows =
          usable && (computed == stored || (broken_ == frame_ - 1 && sum_of(computed_, frame) == stored));
      unreachable_ += follows && ended_ ? 1 : 0;
    } else if (!usable || computed != stored) {
      broken_ = frame_;
      ends = ends || lost_end(frame, {stored.a - computed.a, stored.b - computed.b});
    } else if (ends) {
      state_.frames = frame_;
      ++state_.commits;
    }
    ended_ = ends;
    stored_ = stored;
    computed_ = computed;
  }

  wal_state state() const {
    auto out = state_;
    out.ignored = std::max(last_, out.frames) - out.frames;
    return out;
  }
  std::uint64_t broken() const { return broken_; }
  std::uint64_t unreachable() const { return unreachable_; }

 private:
  checksum sum_of(checksum from, std::string_view frame) const {
    return add(add(from, frame.substr(0, 8), header_.big_endian), frame.substr(frame_header_bytes),
               header_.big_endian);
  }

  // Whether a broken frame was the last one of its transaction, and what is broken is the number that says
  // so. Checksums are linear: one more in that number is `a` and `b` more in the checksum. `a` is a Fibonacci
  // number, odd for every page size, so it can be divided by.
  bool lost_end(std::string_view frame, checksum difference) const {
    checksum one{0, 1};
    for (std::size_t i = 0; i < header_.page_bytes; i += 8) {
      one.a += one.b;
      one.b += one.a;
    }
    auto inverse = one.a;  // Newton's way: three bits are right, and twice as many after each step
    for (int i = 0; i < 4; ++i)
      inverse *= 2 - one.a * inverse;
    const auto pages = difference.a * inverse;
    if (pages * one.b != difference.b)
      return false;
    return (header_.big_endian ? pages : __builtin_bswap32(pages)) >= std::max(number_at(frame, 0), 1u);
  }

  const wal_header& header_;
  wal_state state_;
  std::uint64_t frame_ = 0;        // the present one, from 1
  std::uint64_t last_ = 0;         // of this round
  std::uint64_t broken_ = 0;       // the first
  std::uint64_t unreachable_ = 0;  // transactions that go on behind the end of another, behind that
  bool ended_ = false;             // the frame before was the last of a transaction
  checksum stored_;                // of the frame before
  checksum computed_;
};

error damaged(const std::string& path, const std::string& why) {
  return fail(errc::io, path + " is damaged: " + why +
                            "; put a copy of it and of its database in their place, or move it away (and "
                            "keep it) to start without what it holds");
}

// SQLite takes a log with a broken header for an empty one. It syncs the header before it writes frames.
result<void> check_remains(const file& log, const std::string& path, std::string bytes, const char* why) {
  std::uint64_t size = 0;
  bool zeros = true;  // which a file system may leave of a file that was just made
  do {
    zeros = zeros && bytes.find_first_not_of('\0') == std::string::npos;
    size += bytes.size();
    if (!read(log, max_page_bytes, bytes))
      return fail(errc::io, "can't read " + path + ": " + std::strerror(errno));
  } while (!bytes.empty());
  if (zeros || size < header_bytes + frame_header_bytes + min_page_bytes)
    return {};
  return damaged(path, why + std::string{", so that SQLite would ignore the "} +
                           std::to_string(size - header_bytes) + " bytes behind it");
}

}  // namespace

result<wal_state> check_wal(const std::string& path) {
  const file log{std::fopen(path.c_str(), "re")};
  if (!log && errno == ENOENT)
    return wal_state{};
  std::string bytes;
  if (!log || !read(log, header_bytes, bytes))
    return fail(errc::io, "can't read " + path + ": " + std::strerror(errno));
  if (bytes.size() < header_bytes)
    return wal_state{};
  wal_header header;
  if (const char* why = parse(bytes, header)) {
    if (auto fine = check_remains(log, path, std::move(bytes), why); !fine)
      return fine.error();
    return wal_state{};
  }
  const auto frame_bytes = frame_header_bytes + header.page_bytes;
  walk w{header};
  do {
    if (!read(log, frame_bytes, bytes))
      return fail(errc::io, "can't read " + path + ": " + std::strerror(errno));
    w.take(bytes);
  } while (bytes.size() == frame_bytes);
  if (w.unreachable() == 0)
    return w.state();
  return damaged(path, "frame " + std::to_string(w.broken()) + " (at byte " +
                           std::to_string(header_bytes + (w.broken() - 1) * frame_bytes) +
                           ") is broken, so that SQLite would drop its transaction and at least " +
                           std::to_string(w.unreachable()) + " behind it");
}

}  // namespace cafmcp::persistence
