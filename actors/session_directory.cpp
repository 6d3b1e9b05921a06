#include "actors/session_directory.hpp"

#include <utility>
#include <vector>

namespace cafmcp::actors {

session_directory::stripe& session_directory::of(std::string_view id) noexcept {
  return stripes_[std::hash<std::string_view>{}(id) % stripes];
}

const session_directory::stripe& session_directory::of(std::string_view id) const noexcept {
  return stripes_[std::hash<std::string_view>{}(id) % stripes];
}

entry_ptr session_directory::find(std::string_view id) const {
  const auto& s = of(id);
  const std::lock_guard lock{s.mutex};
  const auto i = s.entries.find(id);
  return i == s.entries.end() ? nullptr : i->second;
}

entry_ptr session_directory::find_by_name(std::string_view handle_or_id) const {
  auto found = find(handle_or_id);
  if (found == nullptr)
    each([&](const entry_ptr& entry) {
      if (entry->handle == handle_or_id)
        found = entry;
      return found == nullptr;
    });
  return found;
}

entry_ptr session_directory::add(std::string_view id, std::string_view principal) {
  auto fresh = std::make_shared<session_entry>(std::string{id}, std::string{principal});
  auto& s = of(id);
  const std::lock_guard lock{s.mutex};
  if (const auto i = s.entries.find(id); i != s.entries.end())
    return i->second;
  if (size_.fetch_add(1, std::memory_order_relaxed) >= max_) {
    size_.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }
  s.entries.emplace(fresh->id, fresh);
  return fresh;
}

void session_directory::remove(const entry_ptr& entry) {
  auto& s = of(entry->id);
  const std::lock_guard lock{s.mutex};
  const auto i = s.entries.find(entry->id);
  if (i == s.entries.end() || i->second != entry)
    return;
  s.entries.erase(i);
  size_.fetch_sub(1, std::memory_order_relaxed);
}

void session_directory::each(const std::function<bool(const entry_ptr&)>& f) const {
  bool more = true;
  for (std::size_t i = 0; i < stripes && more; ++i)
    each_in(i, [&](const entry_ptr& entry) { return more = f(entry); });
}

// On a copy, so that `f` may take its time and use the directory.
void session_directory::each_in(std::size_t part, const std::function<bool(const entry_ptr&)>& f) const {
  std::vector<entry_ptr> entries;
  {
    const auto& s = stripes_[part];
    const std::lock_guard lock{s.mutex};
    entries.reserve(s.entries.size());
    for (const auto& [id, entry] : s.entries)
      entries.push_back(entry);
  }
  for (const auto& entry : entries)
    if (!f(entry))
      return;
}

}  // namespace cafmcp::actors
