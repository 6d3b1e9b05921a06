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

void send_lanes::data(frame_kind kind, const message_head& head, std::string&& payload) {
  const auto bytes = head.size + payload.size();
  if (goes_at_once(bytes)) {
    credit_ -= static_cast<std::int64_t>(bytes + frame_header_bytes);
    append_frame_header(batch_, kind, bytes, false);
    batch_.append(head.view()).append(payload);
    backlog_.release(bytes + backlog::message_bytes);
    return;
  }
  queue_.push_back({{kind, head, std::move(payload)}});
}

void send_lanes::fill() {
  while (!queue_.empty() && batch_.size() < batch_bytes) {
    auto& next = queue_.front();
    auto& [kind, head, payload] = next.message;
    const auto bytes = std::min(next.left(), fragment_bytes_);
    const auto cost = static_cast<std::int64_t>(bytes + frame_header_bytes);
    if (credit_ < cost)
      return;
    credit_ -= cost;
    const bool more = bytes < next.left();
    append_frame_header(batch_, kind, bytes, more);
    const auto of_payload = bytes - head.size;  // a fragment is longer than any head
    batch_.append(head.view()).append(payload, next.at, of_payload);
    head.size = 0;
    next.at += of_payload;
    backlog_.release(bytes);
    if (more)
      continue;
    backlog_.release(backlog::message_bytes);
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
    backlog_.release(q.left() + backlog::message_bytes);
  queue_.clear();
  control_ = {};
  batch_ = {};
}

}  // namespace cafmcp::cluster
