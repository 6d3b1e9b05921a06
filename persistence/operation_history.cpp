#include "persistence/operation_history.hpp"

#include <algorithm>

#include "persistence/record_codec.hpp"

namespace cafmcp::persistence {

result<operation_history> operation_history::open(sqlite_database& db, std::size_t max_operations,
                                                  std::size_t max_bytes) {
  operation_history out;
  out.max_operations_ = std::max<std::size_t>(max_operations, 1);
  out.max_bytes_ = max_bytes;
  const std::pair<sqlite_statement*, const char*> statements[] = {
      {&out.sizes_, "SELECT n, length(operation) FROM operations WHERE bucket=? ORDER BY n"},
      {&out.insert_, "INSERT INTO operations VALUES(?,?,?)"},
      {&out.forget_, "DELETE FROM operations WHERE bucket=? AND n<?"},
      {&out.read_, "SELECT n, operation FROM operations WHERE bucket=? AND n>? ORDER BY n LIMIT ?"}};
  for (const auto& [to, sql] : statements) {
    auto made = db.prepare(sql);
    if (!made)
      return made.error();
    *to = std::move(*made);
  }
  return out;
}

// Buckets are read when they are first needed, and again after a rollback.
result<void> operation_history::learn(std::uint32_t number) {
  auto& b = buckets_[number];
  if (b.known)
    return {};
  b = {};
  const statement_use use{sizes_};
  sizes_.bind(1, number);
  for (;;) {
    const auto row = sizes_.step();
    if (!row)
      return row.error();
    if (!*row)
      break;
    b.next = static_cast<std::uint64_t>(sizes_.number(0)) + 1;
    b.sizes.push_back(static_cast<std::uint32_t>(sizes_.number(1)));
    b.bytes += b.sizes.back();
  }
  b.known = true;
  return {};
}

result<void> operation_history::append(const operation& op) {
  if (auto known = learn(op.bucket); !known)
    return known;
  const auto bytes = encode_operation(op);
  if (!bytes)
    return bytes.error();
  auto& b = buckets_[op.bucket];
  touched_.insert(op.bucket);
  if (auto done = insert_.bind(1, op.bucket).bind(2, static_cast<std::int64_t>(b.next)).bind(3, *bytes).run();
      !done)
    return done;
  ++b.next;
  b.sizes.push_back(static_cast<std::uint32_t>(bytes->size()));
  b.bytes += bytes->size();
  return {};
}

result<void> operation_history::trim() {
  for (const auto number : touched_) {
    auto& b = buckets_[number];
    if (b.sizes.size() <= max_operations_ && b.bytes <= max_bytes_)
      continue;
    // The last one stays: the next number is known from it.
    while (b.sizes.size() > 1 && (b.sizes.size() > max_operations_ - max_operations_ / 8 ||
                                  b.bytes > max_bytes_ - max_bytes_ / 8)) {
      b.bytes -= b.sizes.front();
      b.sizes.pop_front();
    }
    if (auto done = forget_.bind(1, number).bind(2, static_cast<std::int64_t>(b.next - b.sizes.size())).run();
        !done)
      return done;
  }
  return {};
}

void operation_history::rolled_back() {
  for (const auto number : touched_)
    buckets_[number] = {};
  touched_.clear();
}

result<std::vector<numbered_operation>> operation_history::read(std::uint32_t number, std::uint64_t after,
                                                                std::size_t limit) {
  if (auto known = learn(number); !known)
    return known.error();
  const auto& b = buckets_[number];
  const auto first = b.next - b.sizes.size();
  if (after + 1 < first || after >= b.next)
    return fail(errc::not_found, "bucket " + std::to_string(number) + " has operations " +
                                     std::to_string(first) + " to " + std::to_string(b.next - 1) +
                                     ", nothing follows " + std::to_string(after));
  std::vector<numbered_operation> out;
  const statement_use use{read_};
  read_.bind(1, number).bind(2, static_cast<std::int64_t>(after)).bind(3, static_cast<std::int64_t>(limit));
  for (;;) {
    const auto row = read_.step();
    if (!row)
      return row.error();
    if (!*row)
      return out;
    auto op = decode_operation(read_.bytes(1));
    if (!op)
      return fail(errc::io, "operation " + std::to_string(read_.number(0)) + " of bucket " +
                                std::to_string(number) + " is damaged: " + op.error().message);
    out.push_back({static_cast<std::uint64_t>(read_.number(0)), std::move(*op)});
  }
}

}  // namespace cafmcp::persistence
