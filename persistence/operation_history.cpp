#include "persistence/operation_history.hpp"

#include <algorithm>
#include <span>

#include "persistence/record_codec.hpp"

namespace cafmcp::persistence {

namespace {

// A batch larger than this is kept in several rows, so that none comes near SQLite's bounds.
constexpr std::size_t segment_bytes = std::size_t{1} << 20;

std::int64_t as_signed(std::uint64_t number) noexcept {
  return static_cast<std::int64_t>(number);
}

}  // namespace

result<operation_history> operation_history::open(sqlite_database& db, std::size_t max_operations,
                                                  std::size_t max_bytes) {
  operation_history out;
  out.max_operations_ = std::max<std::size_t>(max_operations, 1);
  out.max_bytes_ = max_bytes;
  const std::pair<sqlite_statement*, const char*> statements[] = {
      {&out.insert_, "INSERT INTO operations(row, bucket, first, count, operations) VALUES(?,?,?,?,?)"},
      {&out.forget_, "DELETE FROM operations WHERE row<=?"},
      {&out.keep_number_, "INSERT OR REPLACE INTO buckets(bucket, next) VALUES(?,?)"},
      {&out.read_, "SELECT operations FROM operations WHERE row=?"}};
  for (const auto& [to, sql] : statements) {
    auto made = db.prepare(sql);
    if (!made)
      return made.error();
    *to = std::move(*made);
  }
  if (auto known = out.learn(db); !known)
    return known.error();
  return out;
}

// The numbers of a bucket go on from its last segment, or from what was noted when segments were forgotten.
result<void> operation_history::learn(sqlite_database& db) {
  auto noted = db.prepare("SELECT bucket, next FROM buckets");
  if (!noted)
    return noted.error();
  for (;;) {
    const auto row = noted->step();
    if (!row)
      return row.error();
    if (!*row)
      break;
    const auto next = static_cast<std::uint64_t>(noted->number(1));
    buckets_[static_cast<std::size_t>(noted->number(0)) % bucket_count] = {next, next};
  }
  auto kept = db.prepare("SELECT row, bucket, first, count, length(operations) FROM operations ORDER BY row");
  if (!kept)
    return kept.error();
  for (;;) {
    const auto row = kept->step();
    if (!row)
      return row.error();
    if (!*row)
      return {};
    const segment s{static_cast<std::uint64_t>(kept->number(0)), static_cast<std::uint64_t>(kept->number(2)),
                    static_cast<std::uint32_t>(kept->number(1)) % bucket_count,
                    static_cast<std::uint32_t>(kept->number(3)), static_cast<std::uint64_t>(kept->number(4))};
    auto& b = buckets_[s.bucket];
    if (s.first != b.next || b.first == b.next)
      b.first = s.first;
    b.next = s.first + s.count;
    count(s, 1);
    segments_.push_back(s);
  }
}

// `sign`: 1, or its negative to take it off.
void operation_history::count(const segment& s, std::uint64_t sign) noexcept {
  operations_ += sign * s.count;
  bytes_ += sign * s.bytes;
}

std::uint64_t operation_history::last_row() const noexcept {
  return segments_.empty() ? 0 : segments_.back().row;
}

result<void> operation_history::append(const std::vector<operation>& batch) {
  for (std::size_t begin = 0; begin < batch.size();) {
    auto end = begin;
    for (std::size_t bytes = 0; end < batch.size() && (end == begin || bytes < segment_bytes); ++end)
      bytes += batch[end].bytes.size();
    if (auto done = append_segment(batch, begin, end); !done)
      return done;
    begin = end;
  }
  return {};
}

result<void> operation_history::append_segment(const std::vector<operation>& batch, std::size_t begin,
                                               std::size_t end) {
  const auto bytes = encode_operations(std::span{batch}.subspan(begin, end - begin));
  if (!bytes)
    return bytes.error();
  auto& b = buckets_[batch.front().bucket];
  const segment s{last_row() + 1, b.next, batch.front().bucket, static_cast<std::uint32_t>(end - begin),
                  bytes->size()};
  auto done = insert_.bind(1, as_signed(s.row))
                  .bind(2, s.bucket)
                  .bind(3, as_signed(s.first))
                  .bind(4, s.count)
                  .bind(5, *bytes)
                  .run();
  if (!done)
    return done;
  b.next += s.count;
  count(s, 1);
  segments_.push_back(s);
  ++fresh_;
  return {};
}

// The last segment stays: the next row's number is known from it.
result<void> operation_history::trim() {
  if (operations_ <= max_operations_ && bytes_ <= max_bytes_)
    return {};
  auto operations = operations_;
  auto bytes = bytes_;
  std::set<std::uint32_t> buckets;
  while (forgotten_ + 1 < segments_.size() &&
         (operations > max_operations_ - max_operations_ / 8 || bytes > max_bytes_ - max_bytes_ / 8)) {
    const auto& s = segments_[forgotten_++];
    operations -= s.count;
    bytes -= s.bytes;
    buckets.insert(s.bucket);
  }
  if (forgotten_ == 0)
    return {};
  for (const auto bucket : buckets)
    if (auto done = keep_number_.bind(1, bucket).bind(2, as_signed(buckets_[bucket].next)).run(); !done)
      return done;
  return forget_.bind(1, as_signed(segments_[forgotten_ - 1].row)).run();
}

void operation_history::committed() {
  fresh_ = 0;
  for (; forgotten_ > 0; --forgotten_) {
    const auto& s = segments_.front();
    buckets_[s.bucket].first = s.first + s.count;
    count(s, static_cast<std::uint64_t>(-1));
    segments_.pop_front();
  }
}

void operation_history::rolled_back() {
  forgotten_ = 0;
  for (; fresh_ > 0; --fresh_) {
    const auto& s = segments_.back();
    buckets_[s.bucket].next = s.first;
    count(s, static_cast<std::uint64_t>(-1));
    segments_.pop_back();
  }
}

result<std::vector<operation>> operation_history::load(const segment& s) {
  const statement_use use{read_};
  const auto row = read_.bind(1, as_signed(s.row)).step();
  if (!row)
    return row.error();
  auto operations = decode_operations(*row ? read_.bytes(0) : std::string_view{});
  if (operations && (operations->size() != s.count || operations->front().bucket != s.bucket))
    operations = fail(errc::invalid, "they are not those that its columns tell of");
  if (!operations)
    return fail(errc::invalid, "operations from " + std::to_string(s.first) + " on of bucket " +
                                   std::to_string(s.bucket) + " are damaged: " + operations.error().message);
  return operations;
}

result<std::vector<numbered_operation>> operation_history::read(std::uint32_t bucket, std::uint64_t after,
                                                                std::size_t limit) {
  const auto& b = buckets_[bucket];
  if (after + 1 < b.first || after >= b.next)
    return fail(errc::not_found, "bucket " + std::to_string(bucket) + " has operations " +
                                     std::to_string(b.first) + " to " + std::to_string(b.next - 1) +
                                     ", nothing follows " + std::to_string(after));
  std::vector<numbered_operation> out;
  for (const auto& s : segments_) {
    if (s.bucket != bucket || s.first + s.count <= after + 1)
      continue;
    if (out.size() >= limit)
      break;
    auto operations = load(s);
    if (!operations)
      return fail(errc::io, operations.error().message);
    for (std::size_t i = 0; i < operations->size() && out.size() < limit; ++i)
      if (s.first + i > after)
        out.push_back({s.first + i, std::move((*operations)[i])});
  }
  return out;
}

result<std::uint64_t> operation_history::check(std::uint64_t& row, std::size_t limit) {
  std::uint64_t damaged = 0;
  auto s = std::lower_bound(segments_.begin(), segments_.end(), row,
                            [](const segment& a, std::uint64_t b) { return a.row < b; });
  for (std::size_t n = 0; s != segments_.end() && n < limit; ++s, ++n)
    if (const auto found = load(*s); !found && found.error().code == errc::invalid)
      ++damaged;
    else if (!found)
      return found.error();
  row = s == segments_.end() ? 0 : s->row;
  return damaged;
}

}  // namespace cafmcp::persistence
