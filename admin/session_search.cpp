#include "admin/session_search.hpp"

#include "admin/api_route.hpp"

namespace cafmcp::admin {

namespace {

using boost::asio::awaitable;
using persistence::session_summary;
using summaries = std::vector<session_summary>;

// Hashing so many takes a millisecond or two, for which others on the context wait.
constexpr std::size_t page_size = 200;

// Ids are longer than this, and look different.
bool is_handle(const std::string& name) {
  return name.size() == 12 && name.starts_with("s-");
}

error nobody(const std::string& name) {
  return fail(errc::not_found, "no session '" + name.substr(0, 100) +
                                   "'; it may have ended. cafmcpctl session list shows those that are here");
}

awaitable<result<summaries>> scan(const api_context& context, std::uint32_t bucket, const std::string& after,
                                  std::size_t limit) {
  const auto start = [&](auto then) { context.store->scan(bucket, after, limit, std::move(then)); };
  co_return co_await callback_of<summaries>(start);
}

// The id behind a handle, of a session with an actor; empty: none.
awaitable<std::string> id_of_active(const api_context& context, const std::string& handle) {
  std::string id;
  if (!context.directory)
    co_return id;
  for (std::size_t i = 0; i < actors::session_directory::stripes && id.empty(); ++i) {
    context.directory->each_in(i, [&](const actors::entry_ptr& entry) {
      if (entry->handle == handle)
        id = entry->id;
      return id.empty();
    });
    co_await let_others_run();
  }
  co_return id;
}

// The same of any session.
awaitable<result<std::string>> id_of_stored(const api_context& context, const std::string& handle) {
  std::size_t searched = 0;
  for (std::uint32_t bucket = 0; bucket < persistence::bucket_count; ++bucket) {
    std::string after;
    for (bool more = true; more;) {
      const auto page = co_await scan(context, bucket, after, page_size);
      if (!page)
        co_return page.error();
      for (const auto& summary : *page)
        if (actors::handle_of(summary.id) == handle)
          co_return summary.id;
      searched += page->size();
      if (searched >= max_searched)
        co_return fail(errc::invalid, "more than " + std::to_string(max_searched) +
                                          " sessions are stored: give the whole id instead of a handle");
      more = page->size() == page_size;
      if (more)
        after = page->back().id;
    }
  }
  co_return nobody(handle);
}

}  // namespace

awaitable<result<summaries>> list_sessions(const api_context& context, std::size_t limit) {
  if (!context.store)
    co_return fail(errc::unavailable, "this node has no sessions yet; try again");
  summaries found;
  const std::string first;
  for (std::uint32_t bucket = 0; bucket < persistence::bucket_count && found.size() < limit; ++bucket) {
    auto page = co_await scan(context, bucket, first, limit - found.size());
    if (!page)
      co_return page.error();
    found.insert(found.end(), std::make_move_iterator(page->begin()), std::make_move_iterator(page->end()));
  }
  co_return found;
}

awaitable<result<found_session>> find_session(const api_context& context, std::string name) {
  if (!context.store)
    co_return fail(errc::unavailable, "this node has no sessions yet; try again");
  auto id = name;
  if (is_handle(name)) {
    id = co_await id_of_active(context, name);
    if (id.empty()) {
      auto stored = co_await id_of_stored(context, name);
      if (!stored)
        co_return stored.error();
      id = *stored;
    }
  }
  const auto get = [&](auto then) { context.store->get(id, std::move(then)); };
  auto record = co_await callback_of<persistence::session_record>(get);
  if (!record && record.error().code != errc::not_found)
    co_return record.error();
  if (!record || record->ended)
    co_return nobody(name);
  co_return found_session{std::move(*record), context.directory ? context.directory->find(id) : nullptr};
}

}  // namespace cafmcp::admin
