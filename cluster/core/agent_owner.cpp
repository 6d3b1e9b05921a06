// An agent as owner of buckets: learners that have caught up are said, and what is to be handed over is.

#include "cluster/core/agent.hpp"
#include "cluster/core/bugs.hpp"

namespace cafmcp::cluster {

void agent::serve_learners() {
  for (std::size_t b = 0; b < bucket_count; ++b) {
    const auto& r = view_.bucket_row(b).is;
    if (r.learners.empty() || !owns(b))
      continue;
    for (const auto& n : r.learners) {
      unsettled_ = true;
      auto& again = asked_learners_[{b, n}];
      if (!due(again) || view_.caught_up(b, n) != 0)
        continue;
      again = clock_() + options_.relearn;
      if (events_.on_learner)
        events_.on_learner(b, n);
    }
  }
  std::erase_if(asked_learners_, [&](const auto& entry) {
    return !view_.bucket_row(entry.first.first).is.learns(entry.first.second);
  });
}

void agent::caught_up(std::size_t bucket, const std::string& learner) {
  const auto& r = view_.bucket_row(bucket);
  if (!owns(bucket) || !r.is.learns(learner))
    return;
  transaction t;
  // The row as it is now, so that nobody is said to have caught up with somebody else.
  t.when.push_back({bucket_key(bucket), r.modified});
  t.then.push_back({change::kind::put, caught_up_key(bucket, learner), caught_up_value(r.is)});
  commit(std::move(t), [this, bucket, learner](transaction_result result) {
    if (result.what != outcome::done)
      asked_learners_.erase({bucket, learner});  // it will be asked again
  });
}

void agent::hand_over() {
  for (std::size_t b = 0; b < bucket_count; ++b) {
    const auto& r = view_.bucket_row(b).is;
    const bool ours = r.owner == options_.self.id && r.lease == lease_.id();
    // In a later epoch it is ours anew, and what was asked in an earlier one is over.
    if (!ours || handing_epoch_[b] != r.epoch) {
      handing_[b] = handing::no;
      handing_epoch_[b] = r.epoch;
    }
    if (!ours) {
      continue;
    }
    unsettled_ = unsettled_ || handing_[b] != handing::no || !r.next.empty();
    if (handing_[b] == handing::unsure && due(next_hand_[b]))
      settle(b);
    else if (handing_[b] == handing::no && !r.next.empty() && owns(b) && due(next_hand_[b]))
      hand_over_one(b);
  }
}

// Only the owner does this: it stops first, and then says who goes on.
void agent::hand_over_one(std::size_t b) {
  const auto& r = view_.bucket_row(b);
  const auto next = view_.lease_of(r.is.next);
  if (next.lease == 0)
    return;
  handing_[b] = handing::asked;
  auto after = r.is;
  after.owner = next.node;
  after.lease = next.lease;
  ++after.epoch;
  after.next.clear();
  const proposal how{options_.self.id, false, false};
  if (!illegal(r.is, after, &how).empty())
    return;
  transaction t;
  t.when = {{bucket_key(b), r.modified}, {lease_key(next.node), next.modified}};
  t.then = {{change::kind::put, bucket_key(b), encode(after)}};
  const auto lease = lease_.id();
  const auto epoch = handing_epoch_[b];
  events_.on_change();
  commit(std::move(t), [this, b, lease, epoch](transaction_result result) {
    if (handing_[b] != handing::asked || lease != lease_.id() || epoch != handing_epoch_[b])
      return;
    next_hand_[b] = clock_() + options_.retry;
    if (result.what == outcome::unknown && !made(mistake::unknown_is_failure))
      handing_[b] = handing::unsure;
    else if (result.what != outcome::done)  // it has not happened and won't
      handing_[b] = handing::no;
    act();
  });
}

// Whether a hand-over has happened, or still may: a change of the row that does nothing makes sure that it
// won't any more, unless the row has changed already.
void agent::settle(std::size_t b) {
  const auto& r = view_.bucket_row(b);
  handing_[b] = handing::asked;
  transaction t;
  t.when = {{bucket_key(b), r.modified}};
  t.then = {{change::kind::put, bucket_key(b), encode(r.is)}};
  const auto lease = lease_.id();
  const auto epoch = handing_epoch_[b];
  commit(std::move(t), [this, b, lease, epoch](transaction_result result) {
    if (handing_[b] != handing::asked || lease != lease_.id() || epoch != handing_epoch_[b])
      return;
    next_hand_[b] = clock_() + options_.retry;
    // Refused: the row has changed, and the view will show how. Until then we don't own it.
    handing_[b] = result.what == outcome::done ? handing::no : handing::unsure;
    act();
  });
}

}  // namespace cafmcp::cluster
