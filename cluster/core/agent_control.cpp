// An agent as controller: one at a time changes the table.

#include <algorithm>

#include "cluster/core/agent.hpp"
#include "cluster/core/bugs.hpp"

namespace cafmcp::cluster {

namespace {

constexpr moment a_minute{60'000};

}  // namespace

void agent::run_for_controller() {
  const auto now = view_.controller();
  const bool over = now.modified == 0 || view_.lease_of(now.node).lease != now.lease;
  // Whoever ends leases is the controller; its own is ended by the others.
  if (!over && now.node != options_.self.id && silent(now.node))
    end_lease(now.node, false);
  if (!over || running_ || !due(next_run_))
    return;
  running_ = true;
  transaction t;
  t.when.push_back({std::string{controller_key}, now.modified});
  t.when.push_back({lease_key(options_.self.id), lease_.id()});
  if (now.modified != 0)  // that lease is over, and stays so
    t.when.push_back({lease_key(now.node), view_.lease_of(now.node).modified});
  if (now.node == options_.self.id)
    t.when.pop_back();
  t.then.push_back(
      {change::kind::put, std::string{controller_key}, options_.self.id + ' ' + std::to_string(lease_.id())});
  commit(std::move(t), [this](transaction_result) {
    running_ = false;
    next_run_ = clock_() + options_.retry;
  });
}

// Plans again when everything of the last plan is known: what was done is in the view, what wasn't is not.
void agent::control() {
  if (controlling_ > 0 || view_.at() < controlled_ || !due(next_control_))
    return;
  auto avoid = flapping();
  if (planned_ == view_.changed_at() && avoid == avoided_)
    return;
  auto next = transactions(view_, plan(view_, options_.limits, avoid));
  planned_ = next.empty() ? view_.changed_at() : -1;
  avoided_ = std::move(avoid);
  for (auto& t : next) {
    ++controlling_;
    commit(std::move(t), [this](transaction_result r) {
      --controlling_;
      if (r.what == outcome::done)
        controlled_ = std::max(controlled_, r.at);
      else  // somebody was faster, or nobody answers: look again a little later
        next_control_ = clock_() + options_.retry;
      if (controlling_ == 0)
        act();
    });
  }
}

// Who is silent for a lease's time is out; a process that most of the members have seen die need not be
// waited for.
void agent::end_leases() {
  // Of all members, so that one that is wrong is never enough.
  const auto enough = made(mistake::two_shots) ? 0 : view_.members().size();
  for (const auto& [id, m] : view_.members()) {
    const auto lease = view_.lease_of(id).lease;
    if (lease == 0 || id == options_.self.id)
      continue;
    const bool proven = 2 * view_.reporters(id, lease) > enough;
    if (proven || silent(id))
      end_lease(id, proven);
  }
}

void agent::note_leases() {
  const auto now = clock_();
  for (const auto& [id, m] : view_.members()) {
    const auto lease = view_.lease_of(id).lease;
    auto& [seen, count] = leases_seen_[id];
    if (lease == 0 || lease == seen)
      continue;
    if (seen != 0) {
      auto& times = new_leases_[id];
      std::erase_if(times, [&](moment t) { return now - t > options_.quarantine_limit; });
      times.push_back(now);
      constexpr std::size_t most = 32;
      if (times.size() > most)
        times.erase(times.begin());
    }
    seen = lease;
    ++count;
  }
  // Nodes that have left are forgotten.
  const auto left = [&](const auto& entry) { return !view_.members().contains(entry.first); };
  std::erase_if(leases_seen_, left);
  std::erase_if(new_leases_, left);
}

// Those that come and go too often get nothing for a while.
std::set<std::string, std::less<>> agent::flapping() const {
  std::set<std::string, std::less<>> out;
  const auto now = clock_();
  for (const auto& [id, times] : new_leases_) {
    const auto lately =
        std::count_if(times.begin(), times.end(), [&](moment t) { return now - t <= a_minute; });
    if (static_cast<unsigned>(lately) < options_.flaps)
      continue;
    const auto over = std::min<unsigned>(static_cast<unsigned>(lately) - options_.flaps, 16);
    const auto rest = std::min(options_.quarantine * (1U << over), options_.quarantine_limit);
    if (now - times.back() < rest)
      out.insert(id);
  }
  return out;
}

}  // namespace cafmcp::cluster
