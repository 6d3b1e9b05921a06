#include "admin/node_status.hpp"

namespace cafmcp::admin {

node_status::node_status(std::string node, std::string node_region, std::string node_zone,
                         std::size_t contexts)
    : name(std::move(node)),
      region(std::move(node_region)),
      zone(std::move(node_zone)),
      started_(clock::now()),
      beats_(contexts) {
  for (auto& b : beats_)
    b.at_ns = started_.time_since_epoch().count();
}

void node_status::beat(std::size_t index, clock::time_point now, std::chrono::nanoseconds late) noexcept {
  beats_[index].at_ns.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  beats_[index].late_ns.store(late.count(), std::memory_order_relaxed);
}

std::chrono::nanoseconds node_status::lag(std::size_t index) const noexcept {
  return std::chrono::nanoseconds{beats_[index].late_ns.load(std::memory_order_relaxed)};
}

verdict node_status::silence(clock::time_point now, std::chrono::milliseconds limit) const {
  for (std::size_t i = 0; i < beats_.size(); ++i) {
    const auto silent =
        now.time_since_epoch() - std::chrono::nanoseconds{beats_[i].at_ns.load(std::memory_order_relaxed)};
    if (silent > limit)
      return {false, "unhealthy",
              "context " + std::to_string(i) + " has not answered for " +
                  std::to_string(std::chrono::duration_cast<std::chrono::seconds>(silent).count()) + " s"};
  }
  return {true, "ok", {}};
}

verdict node_status::ready(clock::time_point now) const {
  switch (phase()) {
    case node_phase::starting:
      return {false, "starting", "the node is starting"};
    case node_phase::draining:
      return {false, "draining", "the node is going away"};
    case node_phase::serving:
      break;
  }
  if (auto reason = trouble_ ? trouble_() : std::string{}; !reason.empty())
    return {false, "unhealthy", std::move(reason)};
  if (auto reason = isolation_ ? isolation_() : std::string{}; !reason.empty())
    return {false, "isolated", std::move(reason)};
  return silence(now, ready_silence);
}

verdict node_status::live(clock::time_point now) const {
  return silence(now, live_silence);
}

}  // namespace cafmcp::admin
