#pragma once
// How the admin API finds sessions: lists go through the buckets of the store, and a handle, which can't be
// turned back into an id, is compared with the handles of all sessions, active ones first. Both take a while
// with many sessions, so they pause again and again for others on their context, and both are bounded. For
// coroutines on a context's thread.

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "admin/api.hpp"
#include "base/result.hpp"

namespace cafmcp::admin {

/// How many stored sessions are compared with a handle before the search is given up.
inline constexpr std::size_t max_searched = 1'000'000;

/// A session that was found.
struct found_session {
  persistence::session_record record;
  actors::entry_ptr entry;  ///< null: it has no actor here
};

/// The first sessions of all buckets, at most `limit`. Error `unavailable` while the node has no store.
boost::asio::awaitable<result<std::vector<persistence::session_summary>>> list_sessions(
    const api_context& context, std::size_t limit);

/// The session with that id or handle. Errors: `not_found` if there is none or it has ended, `invalid` for a
/// handle among too many sessions, `unavailable` while the node has no store.
boost::asio::awaitable<result<found_session>> find_session(const api_context& context, std::string name);

}  // namespace cafmcp::admin
