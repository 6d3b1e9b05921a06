#include "cluster/core/agent.hpp"
#include "cluster/core/bugs.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace cafmcp::cluster {

agent::agent(coordinator& keeper, agent_options options, agent_events events, std::function<moment()> clock)
    : keeper_(keeper), options_(std::move(options)), events_(std::move(events)), clock_(std::move(clock)) {
  CAFMCP_ASSERT(!options_.self.id.empty());
}

agent::~agent() {
  *alive_ = false;
}

void agent::start() {
  watch_handler h;
  h.on_snapshot = [this](snapshot s) { on_snapshot(std::move(s)); };
  h.on_events = [this](std::vector<fact_event> e) { on_events(std::move(e)); };
  h.on_contact = [this](bool on) { contact_ = on; };
  watch_ = keeper_.watch(std::string{facts_prefix}, std::move(h));
}

void agent::on_snapshot(snapshot s) {
  judge(view_.reset(std::move(s)));
  known_ = true;
  note_beats();
  note_leases();
  act();
  events_.on_change();
}

void agent::on_events(std::vector<fact_event> events) {
  const auto before = view_.changed_at();
  judge(view_.apply(events));
  note_beats();
  if (before == view_.changed_at())
    return act();  // beats, of which nobody else needs to know
  note_leases();
  act();
  events_.on_change();
}

// A row that can't have come about is nobody's, as far as this node is concerned.
void agent::judge(const std::vector<std::size_t>& wrong) {
  for (const auto b : wrong)
    if (distrusted_.insert(b).second)
      events_.on_note("bucket " + std::to_string(b) +
                      " has changed in a way that it must not; it is not served");
}

void agent::tick() {
  act();
}

// Whatever is due.
void agent::act() {
  if (!known_ || leaving_)
    return;
  keep_lease();
  if (lease_.id() == 0 || !lease_.sure(clock_()))
    return;
  if (view_.lease_of(options_.self.id).lease != lease_.id())
    return;
  show_member();
  run_for_controller();
  if (is_controller()) {
    control();
    end_leases();
  }
  // As owner there is something to do when rows have changed, or something is to be tried again.
  if (looked_ == view_.changed_at() && !unsettled_)
    return;
  looked_ = view_.changed_at();
  unsettled_ = false;
  serve_learners();
  hand_over();
}

bool agent::due(moment& next) const {
  return clock_() >= next;
}

void agent::commit(transaction what, std::function<void(transaction_result)> then) {
  keeper_.commit(std::move(what), options_.deadline,
                 [alive = alive_, then = std::move(then)](transaction_result r) {
                   if (*alive)
                     then(r);
                 });
}

bool agent::owns(std::size_t bucket) const {
  const auto& b = view_.bucket_row(bucket).is;
  return !leaving_ && b.owner == options_.self.id && lease_.id() != 0 &&
         (b.lease == lease_.id() || made(mistake::owner_by_name)) && lease_.sure(clock_()) &&
         (handing_[bucket] == handing::no || made(mistake::serves_while_handing)) &&
         !distrusted_.contains(bucket);
}

bool agent::is_controller() const {
  const auto c = view_.controller();
  return c.node == options_.self.id && c.lease == lease_.id() && lease_.sure(clock_());
}

void agent::drain(bool on) {
  options_.self.state = on ? member_state::draining : member_state::up;
  next_show_ = moment{0};
  act();
}

// What is still under way could bring back what `leave` forgets, and a member that others don't know yet to
// be draining is given buckets.
bool agent::drained() const {
  const auto i = view_.members().find(options_.self.id);
  const bool shown = i != view_.members().end() && i->second.state == member_state::draining;
  if (!shown || showing_)
    return false;
  for (std::size_t b = 0; b < bucket_count; ++b)
    if (const auto& r = view_.bucket_row(b).is; r.holds(options_.self.id))
      return false;
  return known_;
}

void agent::leave(std::function<void(outcome)> then) {
  leaving_ = true;
  lease_.lost();
  const auto& me = options_.self.id;
  transaction t;
  for (const auto& key : {member_key(me), lease_key(me), beat_key(me)})
    t.then.push_back({change::kind::erase, key});
  commit(std::move(t), [then = std::move(then)](transaction_result r) { then(r.what); });
}

bool agent::needed(const std::string& node) const {
  for (std::size_t b = 0; b < bucket_count; ++b) {
    const auto& r = view_.bucket_row(b).is;
    const auto can_own = [&](const std::string& n) {
      return n != node && view_.members().contains(n) && view_.alive(n);
    };
    if (r.holds(node) && std::none_of(r.in_sync.begin(), r.in_sync.end(), can_own))
      return true;
  }
  return false;
}

void agent::remove(const std::string& node, std::function<void(outcome)> then) {
  const auto* known = view_.facts().find(member_key(node));
  transaction t;
  t.when.push_back({lease_key(node), 0});
  t.when.push_back({member_key(node), known == nullptr ? 0 : known->modified});
  t.then.push_back({change::kind::erase, member_key(node)});
  commit(std::move(t), [then = std::move(then)](transaction_result r) { then(r.what); });
}

void agent::process_gone(const std::string& node, std::uint64_t incarnation) {
  const auto* shown = view_.facts().find(lease_key(node));
  if (shown == nullptr || shown->value != std::to_string(incarnation) || lease_.id() == 0)
    return;
  const auto key = gone_key(node, options_.self.id);
  const auto* said = view_.facts().find(key);
  if (said != nullptr && said->value == std::to_string(shown->modified))
    return;
  transaction t;
  t.when.push_back({shown->key, shown->modified});
  t.then.push_back({change::kind::put, key, std::to_string(shown->modified)});
  commit(std::move(t), [](transaction_result) {});
}

bool agent::process_back(const std::string& node) {
  const auto key = gone_key(node, options_.self.id);
  if (view_.facts().find(key) == nullptr)
    return false;
  transaction t;
  t.then.push_back({change::kind::erase, key});
  commit(std::move(t), [](transaction_result) {});
  return true;
}

}  // namespace cafmcp::cluster
