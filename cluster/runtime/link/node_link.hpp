#pragma once
// A link between two nodes: it makes actors of one usable as CAF handles on the other. It lasts from one
// handshake to one failure, between two incarnations (process starts). Handles belong to their link and die
// with it: first all pending requests fail, then monitors fire. Nothing reconnects in here; whoever owns the
// link dials again and looks names up anew.
//
// **It does no input or output**: bytes from the peer go into `space()` and `filled()`, bytes for the peer
// come out of `take()`, time comes in by `tick()`. So tests run two of them against each other without a
// socket, and `link_connection` puts one on a socket.
//
// **Addresses.** A peer can send only to actors that were shown to it: by an answer to its lookup of a name,
// as the sender of a message, as who answered. Each has an export id of this link. The importer counts how
// often it got an id, and gives the count back when nobody holds the handle any more; then the exporter
// forgets it. An answer is taken only for a request that was sent.
//
// **Flow.** Data spends credit, of the link and of the receiving actor, which comes back when the actor has
// consumed the message. What has no credit waits, up to `backlog_bytes`, counted from the moment of sending;
// over it requests fail with `overloaded` at once, and plain messages are dropped and counted.
//
// **Threads.** Everything is for the link's own thread, except what is marked (any thread).

#include <boost/intrusive/list.hpp>
#include <caf/all.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "cluster/runtime/link/credit.hpp"
#include "cluster/runtime/link/frame.hpp"
#include "cluster/runtime/link/link_error.hpp"
#include "cluster/runtime/link/link_status.hpp"
#include "cluster/runtime/link/send_lanes.hpp"
#include "cluster/runtime/link/slot_table.hpp"
#include "cluster/wire/message_table.hpp"

namespace cafmcp::cluster {

/// Bounds of a link, the same for all links of a node.
struct link_bounds {
  std::size_t fragment_bytes = (64 << 10) + 256;  ///< so that 64 KiB with their head are one
  std::size_t message_bytes = 8 << 20;            ///< the largest message
  std::size_t window_bytes = 16 << 20;    ///< from the peer, not consumed yet; at least twice the largest
  std::size_t actor_bytes = 1 << 20;      ///< the same for one receiving actor, give or take one message
  std::size_t backlog_bytes = 16 << 20;   ///< to the peer, waiting for credit
  std::size_t pending_requests = 65'536;  ///< sent and not answered
  std::size_t handles = 65'536;           ///< actors shown to the peer, and by it
  std::chrono::milliseconds heartbeat{500};
  std::chrono::milliseconds dead_after{2'000};      ///< without a byte from the peer
  std::chrono::milliseconds longest_wait{600'000};  ///< for an answer, should the caller wait for ever
};

/// Finds an actor by the name under which this node shows it. (any thread)
using name_resolver = std::function<result<caf::actor>(std::string_view name)>;

/// What is agreed in the handshake.
struct link_terms {
  std::string peer;             ///< the node's name
  std::uint64_t incarnation{};  ///< of its process
  std::uint32_t version = 1;    ///< of the messages: what both understand
  std::size_t window_bytes{};   ///< what the peer lets us send, and the same for each of its actors
  std::size_t actor_bytes{};
  std::size_t message_bytes{};
};

/// Who moves a link's bytes.
class link_host {
 public:
  virtual ~link_host() = default;

  /// Asks for `run()` soon. (any thread)
  virtual void wake() = 0;

  /// The link is over.
  virtual void went_down(const caf::error& why) = 0;
};

/// The link.
class node_link : public std::enable_shared_from_this<node_link> {
 public:
  using clock = std::chrono::steady_clock;
  using on_lookup = std::function<void(caf::actor, const caf::error&)>;

  /// `types` is shared by all links and outlives them.
  node_link(caf::actor_system& system, const wire::message_table& types, name_resolver resolve,
            link_bounds bounds, link_terms terms);
  node_link(const node_link&) = delete;
  node_link& operator=(const node_link&) = delete;
  ~node_link();

  /// Before all else.
  void start(std::weak_ptr<link_host> host, clock::time_point now);

  /// Where bytes from the peer go; then `filled` says how many there are.
  std::span<char> space() { return in_.space(); }
  void filled(std::size_t bytes, clock::time_point now);

  /// Works off what other threads have asked for.
  void run();

  /// The next bytes for the peer; false if there are none.
  bool take(std::string& out);

  /// To be called every `bounds().heartbeat`.
  void tick(clock::time_point now);

  /// Ends the link. Safe at any moment on its thread.
  void close(caf::error why);

  /// The peer's actor of that name (at most 255 bytes), or an error; the answer comes on the link's thread,
  /// or at once if the link is over. (any thread)
  void lookup(std::string name, on_lookup then);

  /// Calls `f` once, when at most an eighth of the backlog is used or the link is over: whoever sends much
  /// waits with this and never polls. (any thread)
  void when_room(std::function<void()> f);

  /// Ends the link soon. (any thread)
  void close_soon(caf::error why);

  bool is_over() const noexcept { return over_.load(std::memory_order_acquire); }  // (any thread)
  const link_terms& terms() const noexcept { return terms_; }                      // (any thread)
  const link_bounds& bounds() const noexcept { return bounds_; }                   // (any thread)
  link_counters& counters() noexcept { return counters_; }                         // (any thread)
  std::size_t backlog_bytes() const noexcept { return backlog_.bytes(); }          // (any thread)
  std::size_t exports() const noexcept { return exports_.size(); }
  std::size_t imports() const noexcept { return import_count_; }
  std::size_t pending() const noexcept { return calls_.size(); }

  // For `remote_proxy` and the credit meters. (any thread)
  void send(caf::strong_actor_ptr proxy, caf::mailbox_element_ptr what);
  void ask_to_end(std::uint64_t id, caf::error reason);
  void released(std::uint64_t id, std::uint64_t serial);
  void credit_is_worth_a_frame(std::uint64_t id);

 private:
  struct end_watch;

  // What other threads ask for, in order.
  struct outgoing {
    caf::strong_actor_ptr proxy;
    caf::strong_actor_ptr sender;
    caf::message_id mid;
    std::string payload;
  };
  struct name_wanted {
    std::string name;
    on_lookup then;
  };
  struct handle_released {
    std::uint64_t id, serial;
  };
  struct export_ended {
    std::uint64_t id;
    caf::error reason;
  };
  struct credit_due {
    std::uint64_t id;  // 0: the link's
  };
  struct stop_wanted {
    std::uint64_t id;
    caf::error reason;
  };
  using job = std::variant<outgoing, name_wanted, handle_released, export_ended, credit_due, stop_wanted,
                           std::function<void()>>;

  // A request that was sent. In two lists: that of its target, and that of all by age.
  struct call {
    caf::strong_actor_ptr sender;
    caf::strong_actor_ptr target;
    caf::message_id mid;
    on_lookup then;  // of a lookup
    clock::time_point since;
    std::uint64_t id = 0;
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> by_age;
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> by_target;
  };
  using age_list =
      boost::intrusive::list<call, boost::intrusive::member_hook<call, decltype(call::by_age), &call::by_age>,
                             boost::intrusive::constant_time_size<false>>;
  using target_list =
      boost::intrusive::list<call,
                             boost::intrusive::member_hook<call, decltype(call::by_target), &call::by_target>,
                             boost::intrusive::constant_time_size<false>>;

  struct export_entry {
    caf::strong_actor_ptr actor;
    std::shared_ptr<credit_meter> meter;
    std::uint64_t sent = 0;        // how often the id went to the peer
    std::int64_t outstanding = 0;  // bytes that it has not consumed
    const void* watch = nullptr;
    unsigned stops = 0;  // how often it was asked to end
  };
  struct import_entry {
    std::uint64_t id = 0;
    std::uint64_t serial = 0;
    std::uint64_t received = 0;
    std::int64_t room = 0;
    bool unheld = false;  // nobody has the handle, but messages wait
    caf::weak_actor_ptr proxy;
    std::deque<waiting_message> queue;
    target_list calls;
  };

  // node_link.cpp
  void post(job what);
  void carry_out(job& what);
  void fail_call(std::uint64_t id, const caf::error& why);
  void fail_at_once(job& what, const caf::error& why);
  void expire_calls();
  void fault(std::string what);

  // node_link_out.cpp
  bool encode(const caf::mailbox_element& what, std::string& payload, link_error& why) const;
  static void bounce(const caf::strong_actor_ptr& proxy, const caf::mailbox_element& what,
                     const caf::error& why);
  void send_message(outgoing& m);
  void respond(std::uint64_t call_id, const caf::strong_actor_ptr& from, std::string payload);
  void ask_for_name(name_wanted& wanted);
  void send_short(frame_kind kind, std::string body);
  void control(frame_kind kind, std::string_view body);
  void send_down(const export_ended& what);
  void send_stop(const stop_wanted& what);
  void send_release(import_entry& entry);
  void return_credit(std::uint64_t id);
  void call_those_with_room();

  // node_link_in.cpp
  bool handle(const frame& f);
  bool take_data(const frame& f);
  bool handle_control(frame_kind kind, std::string_view body);
  bool handle_data(frame_kind kind, std::string_view body);
  bool on_pong(std::uint64_t sent);
  bool on_actor_credit(std::uint64_t id, std::uint64_t bytes);
  bool on_release(std::string_view body);
  bool on_lookup_request(std::string_view body);
  bool on_message(std::string_view body, bool is_request);
  bool on_response(std::string_view body);
  bool on_down(std::string_view body);
  bool on_stop(std::string_view body);
  bool decode_request(wire::reader& in, caf::message& out, link_error& why) const;
  caf::message decode_response(wire::reader& in) const;
  void consumed(std::size_t bytes);

  // node_link_handles.cpp
  std::uint64_t export_actor(const caf::strong_actor_ptr& who);
  void forget_export(std::uint64_t id);
  import_entry* find_import(std::uint64_t id) noexcept;
  caf::strong_actor_ptr import_actor(std::uint64_t id);
  void forget_import(import_entry& entry);
  void on_handle_released(const handle_released& what);
  void kill_handles(const caf::error& why);

  caf::actor_system& system_;
  const wire::message_table& types_;
  const name_resolver resolve_;
  const link_bounds bounds_;
  const link_terms terms_;
  caf::node_id peer_node_;
  std::weak_ptr<link_host> host_;
  link_counters counters_;

  std::mutex mutex_;  // for the next three
  std::vector<job> jobs_;
  bool closed_ = false;
  caf::error reason_;

  std::atomic<bool> over_{false};
  std::vector<job> working_;
  clock::time_point now_;
  bool heard_ = true;  // since the last tick
  unsigned missed_ = 0;

  backlog backlog_;
  send_lanes lanes_;
  std::vector<std::function<void()>> want_room_;

  frame_reader in_;
  std::string partial_;  // a message whose last fragment hasn't come
  frame_kind partial_kind_{};
  std::size_t cost_ = 0;             // credit that the message in hand has spent
  std::int64_t received_bytes_ = 0;  // data whose credit hasn't been given back
  std::shared_ptr<credit_meter> meter_;

  slot_table<export_entry> exports_;
  std::unordered_map<caf::actor_control_block*, std::uint64_t> export_ids_;
  std::vector<std::unique_ptr<import_entry>> imports_;  // by the slot in the id
  std::size_t import_count_ = 0;
  std::uint64_t last_serial_ = 0;
  slot_table<call> calls_;
  age_list calls_by_age_;
};

}  // namespace cafmcp::cluster
