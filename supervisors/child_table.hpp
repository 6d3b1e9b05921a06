#pragma once
// The children of a supervisor in the order in which they were started, found in O(1) by id, by actor, and by
// the ticket that the end of an actor carries. It counts as it goes, so no question needs a look at all
// children. A child costs some 200 bytes over its actor, less when it is an instance: children of one kind
// share what their specifications have in common. Not thread-safe.

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <caf/actor.hpp>
#include <caf/message.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "supervisors/child_spec.hpp"

namespace cafmcp::otp {

/// Where a child is in its life.
enum class child_status : std::uint8_t { stopped, starting, running, stopping, restarting };

const char* to_string(child_status s) noexcept;

/// Says which incarnation of which child: what is behind the times fits nobody.
struct child_ticket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

/// What children of a kind share. Of the supervisor's thread.
struct shared_kind : child_kind, boost::intrusive_ref_counter<shared_kind, boost::thread_unsafe_counter> {
  explicit shared_kind(child_kind kind) : child_kind(std::move(kind)) {}
};

using kind_ptr = boost::intrusive_ptr<const shared_kind>;

/// One child. Referred to by what is still to be done with it, hence the count; `listed` tells whether the
/// supervisor still has it.
struct child : boost::intrusive::list_base_hook<>,
               boost::intrusive_ref_counter<child, boost::thread_unsafe_counter> {
  std::uint32_t slot = 0;        // in the table
  std::uint32_t generation = 0;  // of its actor, in the table
  std::uint32_t restarts = 0;
  kind_ptr kind;
  std::string id;          // empty: an instance
  caf::actor actor;        // null unless starting, running or stopping
  caf::actor_id pid = 0;   // of its last actor
  caf::message arguments;  // of an instance
  context_unit* where = nullptr;
  child_status status = child_status::stopped;
  bool listed = false;
  bool dynamic = false;  // added by request
  bool doomed = false;   // a stop has been decided, its turn has not come: its end is no death
  bool counted = false;  // among the significant ones that are alive

  child_ticket ticket() const noexcept { return {slot, generation}; }
};

using child_ptr = boost::intrusive_ptr<child>;

/// How many there are, as OTP's `supervisor:count_children/1` counts them.
struct child_counts {
  std::uint64_t specs = 0;
  std::uint64_t active = 0;       ///< with an actor
  std::uint64_t supervisors = 0;  ///< whether they run or not
  std::uint64_t workers = 0;      ///< likewise
};

/// The children.
class child_table {
 public:
  using list = boost::intrusive::list<child, boost::intrusive::constant_time_size<true>>;

  /// `instances`: children have no ids, and are found by their actors.
  explicit child_table(bool instances) : instances_(instances) {}
  child_table(const child_table&) = delete;
  child_table& operator=(const child_table&) = delete;
  ~child_table();

  /// A child of that specification, not yet listed. Kinds that are alike are shared.
  child_ptr make(const child_spec& spec);

  /// Adds a child at the end; its id must be free.
  void add(const child_ptr& c);

  /// Takes a child out.
  void remove(child& c);

  /// Sets or clears the actor of a child. Tickets of the one before are void.
  void assign(child& c, const caf::actor& actor);

  /// Gives a child the number of an earlier actor back, of one that had started.
  void set_pid(child& c, caf::actor_id pid);

  void set_status(child& c, child_status status);

  /// Another kind for a child.
  void set_kind(child& c, kind_ptr kind);

  /// Drops what a child was made of.
  void forget_start(child& c);

  /// Moves these, which are listed, to the front, in their order.
  void put_first(const std::vector<child_ptr>& some);

  /// Null if there is none. Actors of instances are found by number, also for a while after their end, as
  /// long as the instance is being restarted.
  child_ptr find(std::string_view id) const;
  child_ptr find(caf::actor_id pid) const;
  child_ptr find(child_ticket ticket) const;

  std::size_t size() const noexcept { return order_.size(); }
  bool empty() const noexcept { return order_.empty(); }

  /// In start order.
  const list& order() const noexcept { return order_; }
  list& order() noexcept { return order_; }

  /// All children in start order, or those from `first` on.
  std::vector<child_ptr> snapshot(const child* first = nullptr) const;

  /// `specs` counts the children that have ids.
  const child_counts& counts() const noexcept { return counts_; }

  /// Significant children that run or are about to.
  std::size_t significant() const noexcept { return significant_; }

 private:
  struct by_id {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const noexcept { return std::hash<std::string_view>{}(id); }
    std::size_t operator()(const child* c) const noexcept { return (*this)(std::string_view{c->id}); }
    bool operator()(const child* a, const child* b) const noexcept { return a->id == b->id; }
    bool operator()(const child* a, std::string_view b) const noexcept { return a->id == b; }
    bool operator()(std::string_view a, const child* b) const noexcept { return a == b->id; }
  };
  struct by_pid {
    using is_transparent = void;
    std::size_t operator()(caf::actor_id pid) const noexcept { return std::hash<caf::actor_id>{}(pid); }
    std::size_t operator()(const child* c) const noexcept { return (*this)(c->pid); }
    bool operator()(const child* a, const child* b) const noexcept { return a->pid == b->pid; }
    bool operator()(const child* a, caf::actor_id b) const noexcept { return a->pid == b; }
    bool operator()(caf::actor_id a, const child* b) const noexcept { return a == b->pid; }
  };

  void count_kind(const child_kind& kind, std::uint64_t by) noexcept;
  void count_significant(child& c) noexcept;

  const bool instances_;
  list order_;
  boost::unordered_flat_set<child*, by_id, by_id> ids_;
  boost::unordered_flat_set<child*, by_pid, by_pid> pids_;  // of instances only
  std::vector<child*> slots_;
  std::vector<std::uint32_t> free_;
  std::uint32_t last_generation_ = 0;
  kind_ptr last_kind_;
  kind_ptr last_bare_;  // without start
  child_counts counts_;
  std::size_t significant_ = 0;
};

}  // namespace cafmcp::otp
