#pragma once
// The children of a supervisor in the order in which they were started, found in O(1) by id and by actor. Not
// thread-safe.

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <caf/actor.hpp>
#include <caf/message.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "supervisors/child_spec.hpp"

namespace cafmcp::otp {

/// Where a child is in its life.
enum class child_status : std::uint8_t { stopped, starting, running, stopping, restarting };

const char* to_string(child_status s) noexcept;

/// One child. Referred to by what is still to be done with it, hence the count; `listed` tells whether the
/// supervisor still has it.
struct child : boost::intrusive::list_base_hook<>,
               boost::intrusive_ref_counter<child, boost::thread_unsafe_counter> {
  std::shared_ptr<const child_spec> spec;
  caf::actor actor;        // null unless starting, running or stopping
  caf::message arguments;  // of a simple_one_for_one child
  context_unit* where = nullptr;
  std::uint32_t restarts = 0;
  child_status status = child_status::stopped;
  bool listed = false;
};

using child_ptr = boost::intrusive_ptr<child>;

/// The children.
class child_table {
 public:
  using list = boost::intrusive::list<child, boost::intrusive::constant_time_size<true>>;

  child_table() = default;
  child_table(const child_table&) = delete;
  child_table& operator=(const child_table&) = delete;
  ~child_table();

  /// Adds a child at the end. With `indexed` it can be found by its id, which must be free.
  void add(const child_ptr& c, bool indexed);

  /// Takes a child out.
  void remove(child& c);

  /// Sets or clears the actor of a child.
  void assign(child& c, const caf::actor& actor);

  /// Null if there is none.
  child_ptr find(std::string_view id) const;
  child_ptr find(caf::actor_id pid) const;

  std::size_t size() const noexcept { return order_.size(); }
  bool empty() const noexcept { return order_.empty(); }

  /// In start order.
  const list& order() const noexcept { return order_; }

  /// All children in start order, or those from `first` on.
  std::vector<child_ptr> snapshot(const child* first = nullptr) const;

 private:
  list order_;
  boost::unordered_flat_map<std::string_view, child*> by_id_;
  boost::unordered_flat_map<caf::actor_id, child*> by_pid_;
};

}  // namespace cafmcp::otp
