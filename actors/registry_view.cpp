#include "actors/registry_view.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace cafmcp::actors {

namespace {

// The first server that `has` it; servers are few.
template <class F>
const server_entry* first(const std::vector<server_entry>& servers, F has) {
  const auto found =
      std::find_if(servers.begin(), servers.end(), [&](const auto& s) { return s.offers && has(*s.offers); });
  return found == servers.end() ? nullptr : &*found;
}

// What two servers offer under one name goes to the first; the registry lets none in that would.
registry_snapshot::index index_of(const std::vector<server_entry>& servers) {
  registry_snapshot::index out;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!servers[i].offers)
      continue;
    const auto& offered = servers[i].offers->content();
    for (const auto& t : offered.tools)
      out.tools.emplace(t.name, i);
    for (const auto& p : offered.prompts)
      out.prompts.emplace(p.name, i);
    for (const auto& r : offered.resources)
      out.resources.emplace(r.uri, i);
  }
  return out;
}

}  // namespace

void server_stats::count(std::chrono::nanoseconds took, bool failed) noexcept {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count()));
  const auto place = std::lower_bound(std::begin(bounds_us), std::end(bounds_us), (ns + 999) / 1000);
  buckets_[place - std::begin(bounds_us)].fetch_add(1, std::memory_order_relaxed);
  total_ns_.fetch_add(ns, std::memory_order_relaxed);
  calls_.fetch_add(1, std::memory_order_relaxed);
  if (failed)
    errors_.fetch_add(1, std::memory_order_relaxed);
}

double server_stats::p99_ms() const noexcept {
  std::uint64_t counts[buckets];
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < buckets; ++i)
    all += counts[i] = bucket(i);
  if (all == 0)
    return 0;
  auto rest = (all * 99 + 99) / 100;
  for (std::size_t i = 0; i < buckets; ++i) {
    if (rest <= counts[i]) {
      // Within its bucket calls are taken to be spread evenly; the last one has no end, so its beginning
      // stands for it.
      const auto low = i == 0 ? 0.0 : static_cast<double>(bounds_us[i - 1]);
      const auto high = i < std::size(bounds_us) ? static_cast<double>(bounds_us[i]) : low;
      return (low + (high - low) * static_cast<double>(rest) / static_cast<double>(counts[i])) / 1000;
    }
    rest -= counts[i];
  }
  return 0;
}

const server_entry* registry_snapshot::route(const mcp::call& call) const {
  using names_type = std::unordered_map<std::string_view, std::size_t>;
  const auto named = [&](const names_type& names) -> const server_entry* {
    const auto i = names.find(call.name);
    return i == names.end() ? nullptr : &servers[i->second];
  };
  switch (call.method) {
    case mcp::method::tools_call:
      return named(by_name.tools);
    case mcp::method::prompts_get:
      return named(by_name.prompts);
    case mcp::method::completion_complete:
      // Of a prompt, of a template, or of a resource: `step` has checked that there is one of the name.
      if (const auto* of_prompt = named(by_name.prompts))
        return of_prompt;
      if (const auto* of_template =
              first(servers, [&](const auto& c) { return c.find_template(call.name) != nullptr; }))
        return of_template;
      [[fallthrough]];
    case mcp::method::resources_read:
      if (const auto* listed = named(by_name.resources))
        return listed;
      return first(servers, [&](const auto& c) { return c.readable(call.name); });
    default:
      return nullptr;
  }
}

registry_view::registry_view() {
  registry_snapshot empty;
  empty.offers = mcp::catalogue::make({}).value();
  publish(std::move(empty));
}

snapshot_ptr registry_view::get() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

void registry_view::publish(registry_snapshot next) {
  CAFMCP_ASSERT(next.offers != nullptr);
  next.by_name = index_of(next.servers);
  auto made = std::make_shared<registry_snapshot>(std::move(next));
  snapshot_ptr old;  // dies after the lock
  {
    const std::lock_guard lock{mutex_};
    made->version = version_.load(std::memory_order_relaxed) + 1;
    old = std::exchange(current_, std::move(made));
    version_.store(current_->version, std::memory_order_release);
  }
}

}  // namespace cafmcp::actors
