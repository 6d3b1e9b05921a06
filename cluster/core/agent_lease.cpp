// An agent's lease: taken, kept up by beats, shown to the others; and the ends of other nodes' leases.

#include <algorithm>

#include "cluster/core/agent.hpp"
#include "cluster/core/bugs.hpp"

namespace cafmcp::cluster {

namespace {

// Beats whose answers are due.
constexpr unsigned most_beats = 4;

}  // namespace

void agent::keep_lease() {
  const auto& me = options_.self.id;
  const auto* shown = view_.facts().find(lease_key(me));
  const auto now = shown == nullptr ? 0 : shown->modified;
  if (lease_.id() != 0 && view_.at() >= lease_.id() && now != lease_.id() && !made(mistake::end_ignored))
    lose_lease("somebody has ended it");
  if (!due(next_beat_))
    return;
  if (lease_.id() != 0)
    beat(lease_.id());
  else if (shown != nullptr && shown->value == std::to_string(options_.incarnation))
    beat(now);  // we have taken it, and never heard so
  else
    take_lease(now);
}

// From nobody, or from an earlier process: that one is over, because two can't have the same data directory.
void agent::take_lease(revision now) {
  if (taking_)
    return;
  taking_ = true;
  next_beat_ = clock_() + options_.renewal;
  const auto sent = clock_();
  const auto& me = options_.self.id;
  transaction t;
  t.when.push_back({lease_key(me), now});
  t.then.push_back({change::kind::put, lease_key(me), std::to_string(options_.incarnation)});
  t.then.push_back({change::kind::put, beat_key(me), "0"});
  t.then.push_back({change::kind::put, member_key(me), encode(options_.self)});
  commit(std::move(t), [this, sent](transaction_result r) {
    taking_ = false;
    if (r.what != outcome::done || leaving_)
      return;
    lease_.taken(r.at, made(mistake::lease_from_receipt) ? clock_() : sent, options_.ttl);
    looked_ = -1;
    act();
    events_.on_change();
  });
}

void agent::beat(lease_id lease) {
  if (beating_ >= most_beats)
    return;
  ++beating_;
  next_beat_ = clock_() + options_.renewal;
  const auto sent = clock_();
  transaction t;
  t.when.push_back({lease_key(options_.self.id), lease});
  t.then.push_back({change::kind::put, beat_key(options_.self.id), std::to_string(++beats_)});
  commit(std::move(t), [this, sent, lease](transaction_result r) {
    --beating_;
    const auto from = made(mistake::lease_from_receipt) ? clock_() : sent;
    if (leaving_)
      return;
    if (r.what == outcome::done && lease_.id() == 0)
      lease_.taken(lease, from, options_.ttl);
    else if (r.what == outcome::done && lease_.id() == lease)
      lease_.beaten(from, options_.ttl);
    else if (r.what == outcome::refused && lease_.id() == lease && !made(mistake::end_ignored))
      lose_lease("somebody has ended it");
  });
}

// What was owned under it is owned no more, whatever the rows say.
void agent::lose_lease(const char* why) {
  events_.on_note(std::string{"the lease is lost: "} + why);
  lease_.lost();
  handing_.fill(handing::no);
  asked_learners_.clear();
  looked_ = -1;
  next_beat_ = moment{0};
  events_.on_change();
}

void agent::show_member() {
  const auto i = view_.members().find(options_.self.id);
  if ((i != view_.members().end() && i->second == options_.self) || showing_ || !due(next_show_))
    return;
  showing_ = true;
  transaction t;
  t.when.push_back({lease_key(options_.self.id), lease_.id()});
  t.then.push_back({change::kind::put, member_key(options_.self.id), encode(options_.self)});
  commit(std::move(t), [this](transaction_result) {
    showing_ = false;
    next_show_ = clock_() + options_.retry;
  });
}

// When each node's last beat was seen here. One that comes late is seen late, so nobody is given up early.
void agent::note_beats() {
  const auto now = clock_();
  std::erase_if(beats_seen_, [&](const auto& entry) { return !view_.alive(entry.first); });
  const auto& all = view_.facts().all();
  for (auto i = all.lower_bound(beats_prefix); i != all.end() && i->first.starts_with(beats_prefix); ++i) {
    const auto node = i->first.substr(beats_prefix.size());
    if (!view_.alive(node))
      continue;
    auto& [beat, at] = beats_seen_[node];
    if (std::exchange(beat, i->second.modified) != i->second.modified)
      at = now;
  }
}

bool agent::silent(const std::string& node) const {
  const auto i = beats_seen_.find(node);
  const auto patience = made(mistake::impatient) ? options_.ttl / 3 : options_.ttl;
  return i != beats_seen_.end() && clock_() - i->second.second > patience;
}

// Ends the lease of a node whose last beat is the one that was seen here, or (proven) whose process is gone.
void agent::end_lease(const std::string& node, bool proven) {
  const auto lease = view_.lease_of(node).lease;
  if (lease == 0 || !ending_.insert(lease).second)
    return;
  const auto m = view_.members().find(node);
  const auto name = m == view_.members().end() ? node : m->second.name;
  events_.on_note(proven ? "the process of node " + name + " is gone; its lease is ended"
                         : "node " + name + " has been silent for a lease's time; its lease is ended");
  transaction t;
  t.when.push_back({lease_key(node), lease});
  if (!proven && !made(mistake::no_beat_condition))
    t.when.push_back({beat_key(node), beats_seen_[node].first});
  t.then.push_back({change::kind::erase, lease_key(node)});
  t.then.push_back({change::kind::erase, beat_key(node)});
  const auto prefix = gone_key(node, "");
  const auto& all = view_.facts().all();
  for (auto i = all.lower_bound(prefix); i != all.end() && i->first.starts_with(prefix); ++i)
    if (t.when.size() + t.then.size() < max_transaction)
      t.then.push_back({change::kind::erase, i->first});
  commit(std::move(t), [this, lease](transaction_result) { ending_.erase(lease); });
}

}  // namespace cafmcp::cluster
