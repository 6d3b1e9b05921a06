#include "cluster/runtime/link/send_lanes.hpp"

#include <algorithm>

namespace cafmcp::cluster {

bool send_lanes::control(frame_kind kind, std::string_view body) {
  if (control_.size() > max_control_bytes)
    return false;
  append_frame(control_, kind, body);
  return true;
}

bool send_lanes::goes_at_once(std::size_t bytes) const noexcept {
  return queue_.empty() && bytes <= fragment_bytes_ && batch_.size() < batch_bytes &&
         credit_ >= static_cast<std::int64_t>(bytes + frame_header_bytes);
}

void send_lanes::data(frame_kind kind, std::string_view head, std::string_view payload) {
  const auto bytes = head.size() + payload.size();
  if (goes_at_once(bytes)) {
    credit_ -= static_cast<std::int64_t>(bytes + frame_header_bytes);
    append_frame_header(batch_, kind, bytes, false);
    batch_.append(head).append(payload);
    backlog_.release(bytes);
    return;
  }
  std::string body;
  body.reserve(bytes);
  body.append(head).append(payload);
  queue_.push_back({kind, std::move(body), 0});
}

void send_lanes::data(frame_kind kind, std::string body) {
  if (goes_at_once(body.size()))
    data(kind, body, {});
  else
    queue_.push_back({kind, std::move(body), 0});
}

void send_lanes::fill() {
  while (!queue_.empty() && batch_.size() < batch_bytes) {
    auto& next = queue_.front();
    const auto bytes = std::min(next.body.size() - next.at, fragment_bytes_);
    const auto cost = static_cast<std::int64_t>(bytes + frame_header_bytes);
    if (credit_ < cost)
      return;
    credit_ -= cost;
    const bool more = next.at + bytes < next.body.size();
    append_frame(batch_, next.kind, std::string_view{next.body}.substr(next.at, bytes), more);
    next.at += bytes;
    backlog_.release(bytes);
    if (!more)
      queue_.pop_front();
  }
}

bool send_lanes::take(std::string& out) {
  fill();
  out.clear();
  if (control_.empty()) {
    out.swap(batch_);
  } else {
    control_.append(batch_);
    batch_.clear();
    out.swap(control_);
  }
  return !out.empty();
}

void send_lanes::clear() {
  for (const auto& q : queue_)
    backlog_.release(q.body.size() - q.at);
  queue_.clear();
  control_ = {};
  batch_ = {};
}

}  // namespace cafmcp::cluster
