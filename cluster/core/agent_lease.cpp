// An agent's lease: had, renewed, shown to the others.

#include "cluster/core/agent.hpp"
#include "cluster/core/bugs.hpp"

namespace cafmcp::cluster {

void agent::keep_lease() {
  if (lease_.id() == 0) {
    if (!granting_ && due(next_grant_))
      ask_for_lease();
  } else if (due(next_renewal_)) {
    next_renewal_ = clock_() + options_.renewal;
    renew();
  }
}

void agent::ask_for_lease() {
  granting_ = true;
  const auto sent = clock_();
  keeper_.grant(options_.ttl, options_.deadline, [this, alive = alive_, sent](lease_result r) {
    if (!*alive)
      return;
    granting_ = false;
    next_grant_ = clock_() + options_.retry;
    if (r.what != outcome::done || leaving_)
      return;
    lease_.granted(r.lease, made(mistake::lease_from_receipt) ? clock_() : sent, moment{r.ttl_ms});
    next_renewal_ = sent + options_.renewal;
    next_show_ = moment{0};
    act();
  });
}

void agent::renew() {
  const auto sent = clock_();
  const auto lease = lease_.id();
  keeper_.renew(lease, options_.deadline, [this, alive = alive_, sent, lease](lease_result r) {
    if (!*alive || lease != lease_.id())
      return;
    if (r.what == outcome::done)
      lease_.renewed(made(mistake::lease_from_receipt) ? clock_() : sent, moment{r.ttl_ms});
    else if (r.what == outcome::refused && !made(mistake::renewal_ignored))
      lose_lease("the coordinator says that it is over");
  });
}

// What was owned under it is owned no more, whatever the rows say.
void agent::lose_lease(const char* why) {
  events_.on_note(std::string{"the lease is lost: "} + why);
  lease_.lost();
  handing_.fill(handing::no);
  asked_learners_.clear();
  looked_ = -1;
  next_grant_ = moment{0};
  events_.on_change();
  keep_lease();
}

// So that everybody knows that this node is there. It replaces the lease of an earlier process: that one is
// over, because two can't have the same data directory.
void agent::show_lease() {
  const auto shown = view_.lease_of(options_.self.id);
  if (shown.lease == lease_.id() || showing_ || !due(next_show_))
    return;
  showing_ = true;
  transaction t;
  t.when.push_back({lease_key(options_.self.id), shown.modified});
  t.then.push_back(
      {change::kind::put, lease_key(options_.self.id), std::to_string(options_.incarnation), lease_.id()});
  t.then.push_back({change::kind::put, member_key(options_.self.id), encode(options_.self)});
  commit(std::move(t), [this](transaction_result) {
    showing_ = false;
    next_show_ = clock_() + options_.retry;
  });
}

void agent::show_member() {
  const auto i = view_.members().find(options_.self.id);
  if ((i != view_.members().end() && i->second == options_.self) || showing_ || !due(next_show_))
    return;
  showing_ = true;
  transaction t;
  t.when.push_back({lease_key(options_.self.id), view_.lease_of(options_.self.id).modified});
  t.then.push_back({change::kind::put, member_key(options_.self.id), encode(options_.self)});
  commit(std::move(t), [this](transaction_result) {
    showing_ = false;
    next_show_ = clock_() + options_.retry;
  });
}

}  // namespace cafmcp::cluster
