#pragma once
// Credit that a receiver has given and takes back: bytes of messages come back when the receiving *actor* has
// destroyed the message, so a slow actor slows those who send to it instead of growing its mailbox. There is
// a meter for the whole link and one for each actor that is shown to the peer. What comes back is collected
// until it is worth a frame. Thread-safe, unless it says otherwise.

#include <atomic>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <cstdint>
#include <memory>

namespace cafmcp::cluster {

class node_link;

/// Counts the bytes that come back to one window.
class credit_meter {
 public:
  /// `id`: the actor's export id, or 0 for the whole link. A quarter of the window is worth a frame.
  credit_meter(std::weak_ptr<node_link> link, std::uint64_t id, std::size_t window_bytes) noexcept
      : link_(std::move(link)), id_(id), worth_(static_cast<std::int64_t>(window_bytes / 4)) {}

  /// So many bytes have been consumed; tells the link if it is worth it.
  void give_back(std::size_t bytes) noexcept;

  /// The same on the link's own thread: true if the link should send what there is.
  bool give_back_here(std::size_t bytes) noexcept {
    return returned_.fetch_add(static_cast<std::int64_t>(bytes)) + static_cast<std::int64_t>(bytes) >= worth_;
  }

  /// What has come back since the last time.
  std::int64_t collect() noexcept { return returned_.exchange(0); }

 private:
  std::weak_ptr<node_link> link_;
  std::uint64_t id_;
  std::int64_t worth_;
  std::atomic<std::int64_t> returned_{0};
};

/// The meters that a message is counted on, and how much.
struct message_cost {
  std::shared_ptr<credit_meter> link;
  std::shared_ptr<credit_meter> actor;
  std::size_t link_bytes = 0;
  std::size_t actor_bytes = 0;
};

/// A message from a peer in an actor's mailbox; gives its credit back when it is destroyed.
class credited_element final : public caf::mailbox_element {
 public:
  credited_element(caf::strong_actor_ptr from, caf::message_id id, caf::message what, message_cost cost)
      : mailbox_element(std::move(from), id, {}), content_(std::move(what)), cost_(std::move(cost)) {}
  ~credited_element() override;

  caf::type_erased_tuple& content() override { return content_; }
  const caf::type_erased_tuple& content() const override { return content_; }
  caf::message move_content_to_message() override { return std::move(content_); }
  caf::message copy_content_to_message() const override { return content_; }

 private:
  caf::message content_;
  message_cost cost_;
};

}  // namespace cafmcp::cluster
