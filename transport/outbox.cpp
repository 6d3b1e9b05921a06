#include "transport/outbox.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace cafmcp::transport {

namespace {

// Parts given to one system call.
constexpr std::size_t max_parts = 96;

// An empty queue keeps room for this many pieces.
constexpr std::size_t keep_pieces = 16;

}  // namespace

void outbox::push(std::string head, std::string body, std::string_view tail) {
  pieces_.push_back({std::move(head), std::move(body), tail});
  bytes_ += pieces_.back().size() + sizeof(piece);
}

outbox::state outbox::flush(int fd) {
  while (!empty()) {
    std::array<iovec, max_parts> parts{};
    std::size_t used = 0;
    std::size_t offered = 0;
    auto skip = sent_;
    for (auto i = first_; i < pieces_.size() && used + 3 <= parts.size(); ++i)
      for (const std::string_view part :
           {std::string_view{pieces_[i].head}, std::string_view{pieces_[i].body}, pieces_[i].tail}) {
        const auto gone = std::min(skip, part.size());
        skip -= gone;
        if (gone == part.size())
          continue;
        parts[used++] = {const_cast<char*>(part.data()) + gone, part.size() - gone};
        offered += part.size() - gone;
      }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = used;
    ssize_t n = 0;
    do
      n = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
      return errno == EAGAIN ? state::blocked : state::broken;
    taken(static_cast<std::size_t>(n));
    if (static_cast<std::size_t>(n) < offered)
      return state::blocked;
  }
  return state::empty;
}

void outbox::taken(std::size_t n) {
  for (sent_ += n; !empty() && sent_ >= pieces_[first_].size(); ++first_) {
    sent_ -= pieces_[first_].size();
    bytes_ -= pieces_[first_].size() + sizeof(piece);
    pieces_[first_] = {};
  }
  if (empty()) {
    pieces_.clear();
    if (pieces_.capacity() > keep_pieces)
      pieces_.shrink_to_fit();
    first_ = 0;
  } else if (first_ > pieces_.size() / 2 && first_ > keep_pieces) {
    // A reader that is always a little behind must not make the queue grow.
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

std::vector<std::string> outbox::take_unsent(bool begun) {
  const auto keep = first_ + (sent_ > 0 && !begun ? 1 : 0);
  std::vector<std::string> bodies;
  for (auto i = keep; i < pieces_.size(); ++i) {
    bytes_ -= pieces_[i].size() + sizeof(piece);
    if (!pieces_[i].body.empty())
      bodies.push_back(std::move(pieces_[i].body));
  }
  pieces_.resize(keep);
  if (begun)
    sent_ = 0;
  return bodies;
}

}  // namespace cafmcp::transport
