#pragma once
// Where records are kept while nobody works on them. A store knows operations and records and nothing of
// actors; it is asynchronous, so that one that writes to a disk or over a network can stand behind the same
// functions. Callbacks come once each, possibly before the call returns, and on any thread: whoever lives on
// a context posts there. All functions may be called from any thread; operations of one session only by its
// one owner, one batch after the other.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "persistence/operation.hpp"
#include "persistence/record.hpp"

namespace cafmcp::persistence {

/// What lists show of a session.
struct session_summary {
  std::string id;
  std::string principal;
  std::string client_info;  ///< raw JSON object; empty before `initialize`
  mcp::revision version = mcp::last_session_revision;
  std::int64_t created_ms = 0;
  std::int64_t last_active_ms = 0;
  std::uint64_t bytes = 0;  ///< of the record, about
};

/// What is needed to end a session.
struct idle_session {
  std::string id;
  std::uint64_t epoch = 0;  ///< of its last operation
  std::uint64_t seq = 0;    ///< likewise
  std::int64_t last_active_ms = 0;
};

/// The interface.
class session_store {
 public:
  template <class T>
  using callback = std::function<void(result<T>)>;

  virtual ~session_store() = default;

  /// The record of a session; that of an ended one is its tombstone. Errors: `not_found`: surely none;
  /// `unavailable` and `io`: it can't be known.
  virtual void get(std::string_view session, callback<session_record> then) = 0;

  /// Carries out operations of one session in their order, all of them or none, and reports when they are as
  /// safe as this store makes them. Errors: those of `persistence::apply`; `overloaded` when full; `io`.
  virtual void apply(std::vector<operation> operations, callback<void> then) = 0;

  /// Sessions of a bucket that have not ended, at most `limit` (1 to 10 000), in an order of the store's own,
  /// from behind session `after` (empty: from the first): pages have each session once, but for those that
  /// come and go meanwhile, and those that are damaged. Error `unavailable`: not all are known yet.
  virtual void scan(std::uint32_t bucket, std::string_view after, std::size_t limit,
                    callback<std::vector<session_summary>> then) = 0;

  /// Sessions of a bucket that were last active before `before_ms` and have not ended: at most `limit` (1 to
  /// 10 000) of them, whose owner decides and ends them. Tombstones from before that time are forgotten.
  /// Error `unavailable`: not all are known yet; there is time.
  virtual void expire(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit,
                      callback<std::vector<idle_session>> then) = 0;

  /// How many sessions there are, ended ones not counted.
  virtual std::uint64_t size() const noexcept = 0;
};

/// About how many bytes a record takes, for lists and bounds.
std::uint64_t bytes_of(const session_record& record) noexcept;

}  // namespace cafmcp::persistence
