#include "cluster/core/controller.hpp"
#include "cluster/core/bugs.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "cluster/core/placement.hpp"

namespace cafmcp::cluster {

namespace {

using names = std::vector<std::string>;

void insert(names& all, const std::string& one) {
  const auto at = std::lower_bound(all.begin(), all.end(), one);
  if (at == all.end() || *at != one)
    all.insert(at, one);
}

bool contains(const names& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// Plans row by row.
class planner {
 public:
  planner(const cluster_view& view, const control_limits& limits,
          const std::set<std::string, std::less<>>& avoid)
      : view_(view), limits_(limits) {
    names owners;
    for (std::size_t b = 0; b < bucket_count; ++b)
      owners.push_back(view.bucket_row(b).is.owner);
    for (const auto& [id, m] : view.members())
      if (view.alive(id) && !avoid.contains(id))
        placed_.push_back(m);
    // With nobody else left, those to be avoided will do.
    if (placed_.empty())
      for (const auto& [id, m] : view.members())
        if (view.alive(id))
          placed_.push_back(m);
    if (!placed_.empty())
      targets_ = target_owners(placed_, owners);
    for (std::size_t b = 0; b < bucket_count; ++b)
      moving_ += is_moving(view.bucket_row(b).is) ? 1 : 0;
  }

  std::vector<step> all() {
    std::vector<step> out;
    if (placed_.empty())
      return out;
    // Rows without an owner first: the others can wait for them.
    for (const bool urgent : {true, false})
      for (std::size_t b = 0; b < bucket_count; ++b) {
        const auto& r = view_.bucket_row(b);
        if ((r.modified == 0 || view_.owner_over(r.is)) != urgent)
          continue;
        if (auto s = next(b, r.is))
          out.push_back(std::move(*s));
      }
    return out;
  }

 private:
  static bool is_moving(const bucket& b) { return !b.learners.empty() || !b.next.empty(); }

  std::optional<step> next(std::size_t b, const bucket& now) const {
    step s{b, now, {}, {}, {view_.controller().node, false, false}};
    const bool some = view_.bucket_row(b).modified == 0 ? begin(s)
                      : view_.owner_over(now)           ? take_over(s)
                                                        : drop_dead(s) || let_in(s) || move_on(s) || tidy(s);
    if (!some)
      return {};
    return s;
  }

  // Somebody else must own it for its lease to count.
  void own(step& s, const std::string& node) const {
    const auto lease = view_.lease_of(node);
    s.after.owner = node;
    s.after.lease = lease.lease;
    if (!made(mistake::epoch_kept) || s.after.epoch == 0)
      ++s.after.epoch;
    s.after.next.clear();
    s.when.push_back({lease_key(node), lease.modified});
  }

  bool begin(step& s) const {
    const auto& node = targets_[s.bucket];
    s.after.in_sync = {node};
    own(s, node);
    return true;
  }

  // Within the in-sync set, or it waits for one of them to return.
  bool take_over(step& s) const {
    const auto old = s.after.owner;
    names alive;
    for (const auto& n : s.after.in_sync)
      if (view_.alive(n) && view_.members().contains(n))
        alive.push_back(n);
    if (made(mistake::any_owner) && !placed_.empty())
      alive = {targets_[s.bucket]};
    if (alive.empty())
      return false;
    const auto best = contains(alive, targets_[s.bucket])
                          ? targets_[s.bucket]
                          : *std::max_element(alive.begin(), alive.end(), [&](const auto& x, const auto& y) {
                              return fitness(x, weight(x), s.bucket) < fitness(y, weight(y), s.bucket);
                            });
    if (!old.empty() && old != best)  // as it is seen now: gone, or under another lease
      s.when.push_back({lease_key(old), view_.lease_of(old).modified});
    s.how.old_owner_gone = true;
    s.after.in_sync = alive;
    own(s, best);
    std::erase_if(s.after.learners, [&](const auto& n) { return !view_.alive(n); });
    return true;
  }

  // The owner can't acknowledge anything as long as one of the set is gone.
  bool drop_dead(step& s) const {
    const auto gone = [&](const std::string& n) {
      return n != s.after.owner && (!view_.alive(n) || !view_.members().contains(n));
    };
    auto& b = s.after;
    const auto dropped = std::erase_if(b.in_sync, gone) + std::erase_if(b.learners, gone);
    if (!b.next.empty() && !b.holds(b.next)) {
      b.next.clear();
      return true;
    }
    return dropped > 0;
  }

  bool let_in(step& s) const {
    for (const auto& n : s.after.learners) {
      const auto said = view_.caught_up(s.bucket, n);
      if (made(mistake::learner_counts)) {
        s.how.learner_caught_up = true;
        insert(s.after.in_sync, n);
        std::erase(s.after.learners, std::string{n});
        return true;
      }
      if (said == 0)
        continue;
      s.when.push_back({caught_up_key(s.bucket, n), said});
      s.also.push_back({change::kind::erase, caught_up_key(s.bucket, n)});
      s.how.learner_caught_up = true;
      insert(s.after.in_sync, n);
      std::erase(s.after.learners, std::string{n});
      return true;
    }
    return false;
  }

  bool move_on(step& s) const {
    auto& b = s.after;
    const auto& target = targets_[s.bucket];
    const bool moving = is_moving(b);
    if (b.next.empty() && target != b.owner && b.holds(target) && may_move(moving)) {
      b.next = target;
      return true;
    }
    if (!b.next.empty() && b.next != target) {
      b.next.clear();
      return true;
    }
    names wanted = holders(s.bucket);
    if (target != b.owner)
      wanted.push_back(target);
    bool some = false;
    for (const auto& n : wanted)
      if (n != b.owner && !b.holds(n) && !b.learns(n) && (some || may_move(moving))) {
        insert(b.learners, n);
        forget_caught_up(s, n);
        some = true;
      }
    return some;
  }

  // What was said of it when it was a learner before.
  void forget_caught_up(step& s, const std::string& n) const {
    const auto key = caught_up_key(s.bucket, n);
    if (view_.facts().find(key) != nullptr && !made(mistake::stale_report))
      s.also.push_back({change::kind::erase, key});
  }

  // One at a time, and only when nothing is missing.
  bool tidy(step& s) const {
    auto& b = s.after;
    const auto wanted = holders(s.bucket);
    const auto is_wanted = [&](const std::string& n) {
      return n == b.owner || n == targets_[s.bucket] || n == b.next || contains(wanted, n);
    };
    if (std::erase_if(b.learners, [&](const auto& n) { return !is_wanted(n); }) > 0)
      return true;
    if (!b.learners.empty() || !b.next.empty() || b.owner != targets_[s.bucket])
      return false;
    const auto surplus =
        std::find_if(b.in_sync.begin(), b.in_sync.end(), [&](const auto& n) { return !is_wanted(n); });
    if (surplus == b.in_sync.end())
      return false;
    b.in_sync.erase(surplus);
    return true;
  }

  bool may_move(bool moves_already) const {
    if (moves_already)
      return true;
    if (moving_ >= limits_.moving)
      return false;
    ++moving_;
    return true;
  }

  names holders(std::size_t b) const { return target_holders(placed_, targets_[b], b, limits_.replicas); }

  std::uint32_t weight(const std::string& node) const {
    const auto i = view_.members().find(node);
    return i == view_.members().end() ? 1 : i->second.weight;
  }

  const cluster_view& view_;
  const control_limits& limits_;
  std::vector<member> placed_;
  names targets_;
  mutable std::size_t moving_ = 0;
};

}  // namespace

std::vector<step> plan(const cluster_view& view, const control_limits& limits,
                       const std::set<std::string, std::less<>>& avoid) {
  return planner{view, limits, avoid}.all();
}

std::vector<transaction> transactions(const cluster_view& view, const std::vector<step>& steps) {
  const condition controls{std::string{controller_key}, view.controller().modified};
  std::vector<transaction> out;
  std::size_t room = 0;
  for (const auto& s : steps) {
    const auto& before = view.bucket_row(s.bucket);
    if (!made(mistake::any_owner) && !made(mistake::epoch_kept) &&
        !illegal(before.is, s.after, &s.how).empty())
      continue;
    const auto parts = 2 + s.when.size() + s.also.size();
    if (out.empty() || room < parts) {
      out.push_back({{controls}, {}});
      room = max_transaction - 1;
    }
    room -= parts;
    auto& t = out.back();
    if (!made(mistake::no_row_condition))
      t.when.push_back({bucket_key(s.bucket), before.modified});
    t.when.insert(t.when.end(), s.when.begin(), s.when.end());
    t.then.push_back({change::kind::put, bucket_key(s.bucket), encode(s.after)});
    t.then.insert(t.then.end(), s.also.begin(), s.also.end());
  }
  return out;
}

}  // namespace cafmcp::cluster
