#include "tests/simulation/world.hpp"

#include <algorithm>
#include <cmath>

#include "cluster/core/bugs.hpp"

namespace cafmcp::simulation {

using namespace cluster;

namespace {

constexpr std::size_t trace_lines = 400;

std::string show(const bucket& b) {
  std::string out = "owner " + (b.owner.empty() ? "-" : b.owner) + " lease " + std::to_string(b.lease) +
                    " epoch " + std::to_string(b.epoch) + " in sync";
  for (const auto& n : b.in_sync)
    out += ' ' + n;
  for (const auto& n : b.learners)
    out += " +" + n;
  return b.next.empty() ? out : out + " next " + b.next;
}

}  // namespace

// A process of a node.
struct world::life {
  std::unique_ptr<sim_client> client;
  std::unique_ptr<agent> is;
};

// A machine: its clock, its way to etcd, and the process on it, if there is one.
struct world::node {
  std::string id;
  double rate = 1;     // of its clock
  instant offset = 0;  // and what it showed at the beginning
  way to_etcd;
  std::uint64_t number = 0;  // of its process
  std::unique_ptr<life> process;
  instant held_until = 0;
  std::deque<std::function<void()>> waiting;  // while it is held
  bool draining = false;
};

world::world(std::uint64_t seed, std::size_t nodes, bool trace)
    : time_(seed),
      etcd_([this](const fact* before, const fact_event& e, const std::string& by) {
        on_change(before, e, by);
      }),
      tracing_(trace) {
  for (std::size_t i = 0; i < nodes; ++i) {
    auto n = std::make_unique<node>();
    n->id = "n" + std::to_string(i);
    n->rate = 1 + 0.03 * static_cast<double>(time_.pick(-10, 10)) / 10;
    n->offset = time_.pick(0, 1'000'000) * ms;
    nodes_.push_back(std::move(n));
  }
}

world::~world() = default;

void world::boot(node& n) {
  const auto number = ++n.number;
  n.waiting.clear();
  n.held_until = 0;
  n.process = std::make_unique<life>();
  n.process->client = std::make_unique<sim_client>(
      n.id, time_, etcd_, [&n] { return n.to_etcd; },
      [this, &n, number](std::function<void()> f) { deliver(n, number, std::move(f)); },
      made(mistake::gap_ignored));
  agent_options options;
  options.incarnation = number;
  options.self.id = options.self.name = n.id;
  options.self.region = "r";
  options.self.zone = "z" + n.id.substr(1);
  options.self.weight = 100;
  options.quarantine = moment{1'000};
  options.quarantine_limit = moment{10'000};
  agent_events events;
  events.on_change = [this, &n] { check_owners(n); };
  events.on_learner = [this, &n, number](std::size_t b, const std::string& learner) {
    const auto epoch = n.process->is->view().bucket_row(b).is.epoch;
    time_.after(time_.pick(1, 200) * ms, [this, &n, number, b, learner, epoch] {
      // The copy is complete if the owner still is what it was.
      if (n.number != number || !n.process || epochs_[b] != epoch)
        return;
      has_all_[b].insert(learner);
      deliver(n, number, [&n, b, learner] { n.process->is->caught_up(b, learner); });
    });
  };
  events.on_note = [this, &n](const std::string& what) { note(n.id + ": " + what); };
  n.process->is = std::make_unique<agent>(*n.process->client, options, std::move(events), [this, &n] {
    return moment{
        static_cast<std::int64_t>(static_cast<double>(time_.now()) * n.rate + static_cast<double>(n.offset)) /
        ms};
  });
  n.process->is->start();
  if (n.draining)
    n.process->is->drain(true);
  for (const auto& other : nodes_)
    if (other->process && other->id != n.id)
      deliver(*other, other->number, [&o = *other, id = n.id] { o.process->is->process_back(id); });
  tick(n, number);
  note(n.id + " starts");
}

void world::tick(node& n, std::uint64_t number) {
  deliver(n, number, [&n] { n.process->is->tick(); });
  time_.after(50 * ms, [this, &n, number] {
    if (n.number == number && n.process)
      tick(n, number);
  });
}

void world::deliver(node& n, std::uint64_t number, std::function<void()> what) {
  if (n.number != number || !n.process)
    return;
  if (time_.now() < n.held_until || !n.waiting.empty()) {
    constexpr std::size_t most = 10'000;
    if (n.waiting.size() < most)
      n.waiting.push_back(std::move(what));
    return;
  }
  what();
}

void world::hold(node& n, instant how_long) {
  if (!n.process)
    return;
  happened("pauses");
  note(n.id + " is held up for " + std::to_string(how_long / ms) + " ms");
  n.held_until = time_.now() + how_long;
  time_.after(how_long, [this, &n, number = n.number] {
    if (n.number != number || !n.process || time_.now() < n.held_until)
      return;
    note(n.id + " goes on");
    check_owners(n);  // with what it knew before
    auto waiting = std::exchange(n.waiting, {});
    for (auto& f : waiting)
      if (n.number == number && n.process)
        f();
  });
}

void world::crash(node& n) {
  if (!n.process)
    return;
  happened("crashes");
  note(n.id + " dies");
  ++n.number;
  n.process.reset();
  n.waiting.clear();
  // What was not on disk everywhere is still in sync: durability is not this simulation's subject.
  look_for_the_dead(n, n.number);
}

// The others see their links close and nobody listening.
void world::look_for_the_dead(node& dead, std::uint64_t number) {
  for (const auto& other : nodes_)
    if (other->process && !time_.once_in(4))
      time_.after(time_.pick(5, 200) * ms, [this, &dead, number, &o = *other, life = other->number] {
        if (dead.number != number || dead.process || o.number != life || !o.process)
          return;
        happened("deaths seen");
        deliver(o, life, [&o, id = dead.id, number] { o.process->is->process_gone(id, number - 1); });
      });
}

// More often than by chance it is the controller, who has most to lose.
world::node& world::somebody() {
  if (time_.once_in(4))
    for (const auto& n : nodes_)
      if (n->process && n->process->is->is_controller())
        return *n;
  return *nodes_[static_cast<std::size_t>(time_.pick(0, static_cast<std::int64_t>(nodes_.size()) - 1))];
}

void world::one_fault() {
  auto& n = somebody();
  switch (time_.pick(0, 12)) {
    case 0:
    case 1:
      crash(n);
      time_.after(time_.pick(10, 8000) * ms, [this, &n] {
        if (!n.process)
          boot(n);
      });
      break;
    case 2:
    case 3:
      hold(n, time_.pick(100, 9000) * ms);
      break;
    case 4:
      happened("cuts");
      note(n.id + " is cut off");
      n.to_etcd = {true, true, 0, 0, false};
      break;
    case 5:
      happened("one-way cuts");
      note(n.id + " is cut off one way");
      n.to_etcd = time_.once_in(2) ? way{true, false, 0, 0, false} : way{false, true, 0, 0, false};
      break;
    case 6:
      happened("slow ways");
      n.to_etcd = {false, false, time_.pick(10, 900) * ms, 0, false};
      if (time_.once_in(2))
        cut_later(n);
      break;
    case 7:
      happened("lossy ways");
      n.to_etcd = {false, false, 0, time_.pick(2, 10), false};
      if (time_.once_in(2))
        cut_later(n);
      break;
    case 8:
      happened("heals");
      n.to_etcd = {};
      break;
    case 9:
      if (n.process) {
        happened("drains");
        n.draining = !n.draining;
        note(n.id + (n.draining ? " drains" : " takes part again"));
        deliver(n, n.number, [&n] { n.process->is->drain(n.draining); });
      }
      break;
    case 10:
      false_report(n);
      break;
    case 11:
      happened("deaf watches");
      note(n.id + " is not told of changes");
      n.to_etcd = {};
      n.to_etcd.deaf = true;
      break;
    default:
      etcd_fault();
  }
}

// What was slow or lost something breaks, so that late things meet what came after them.
void world::cut_later(node& n) {
  time_.after(time_.pick(500, 4000) * ms, [this, &n] {
    if (peace_)
      return;
    happened("cuts");
    note(n.id + " is cut off");
    n.to_etcd = {!time_.once_in(3), true, 0, 0, false};
  });
}

// A node that is wrong about another one. It is alone with that: there is one such node.
void world::false_report(node& about) {
  auto& wrong = *nodes_[0];
  if (&about == &wrong || !wrong.process || !about.process)
    return;
  happened("false reports");
  note(wrong.id + " says that " + about.id + " is dead, which it is not");
  deliver(wrong, wrong.number,
          [&wrong, id = about.id, life = about.number] { wrong.process->is->process_gone(id, life); });
  time_.after(time_.pick(500, 5000) * ms, [this, &wrong, &about, number = wrong.number] {
    if (about.process)
      deliver(wrong, number, [&wrong, id = about.id] { wrong.process->is->process_back(id); });
  });
}

void world::etcd_fault() {
  switch (time_.pick(0, 2)) {
    case 0:
      if (!etcd_.up())
        return;
      happened("leaders lost");
      note("etcd has no leader");
      etcd_.lose_leader();
      time_.after(time_.pick(200, 4000) * ms, [this] {
        note("etcd has a leader");
        etcd_.gain_leader();
      });
      break;
    case 1:
      happened("compactions");
      etcd_.compact();
      break;
    default:
      happened("heals");
      for (const auto& n : nodes_)
        n->to_etcd = {};
  }
}

void world::heal() {
  peace_ = true;
  note("peace");
  if (!etcd_.up())
    etcd_.gain_leader();
  for (const auto& n : nodes_) {
    n->to_etcd = {};
    n->held_until = std::min(n->held_until, time_.now() + 1);
    if (n->process && !n->waiting.empty())
      hold(*n, 1);
    if (n->draining && n->process)
      deliver(*n, n->number, [&n = *n] { n.process->is->drain(false); });
    n->draining = false;
    if (!n->process)
      boot(*n);
  }
}

// Each change as it happens, by the etcd's own word.
void world::on_change(const fact* before, const fact_event& e, const std::string& by) {
  if (!e.what.key.starts_with(buckets_prefix))
    return;
  const auto b = static_cast<std::size_t>(std::stoul(e.what.key.substr(buckets_prefix.size())));
  const auto was = before == nullptr ? bucket{} : decode_bucket(before->value).value_or(bucket{});
  const auto is = e.erased ? std::optional<bucket>{} : decode_bucket(e.what.value);
  if (!is)
    return broken("bucket " + std::to_string(b) + " has a row that can't be: " + e.what.value);
  note("bucket " + std::to_string(b) + ": " + show(*is));
  if (const auto why = illegal(was, *is, nullptr); !why.empty())
    return broken("bucket " + std::to_string(b) + ": " + why + ": " + show(was) + " -> " + show(*is));
  const auto controller = etcd_.read(std::string{controller_key});
  const bool controls = controller.facts.size() == 1 && controller.facts[0].value.starts_with(by + ' ');
  if (!controls && by != was.owner)
    return broken("bucket " + std::to_string(b) + " is changed by " + by + ", which is not controller");
  if (is->epoch > was.epoch) {
    happened(was.epoch == 0 ? "births" : was.next == is->owner ? "hand-overs" : "takeovers");
    // A new owner has everything, or something that was acknowledged is lost.
    if (was.epoch != 0 && !has_all_[b].contains(is->owner))
      return broken("bucket " + std::to_string(b) + " goes to " + is->owner +
                    ", which lacks something: " + show(was) + " -> " + show(*is));
    if (was.epoch == 0)
      has_all_[b] = {is->owner};
    epochs_[b] = is->epoch;
  }
  for (const auto& n : is->in_sync)
    if (!has_all_[b].contains(n))
      return broken("bucket " + std::to_string(b) + ": " + n +
                    " is in sync and lacks something: " + show(*is));
  // Who is out misses what is acknowledged from now on.
  std::erase_if(has_all_[b], [&](const auto& n) { return !is->holds(n) && !is->learns(n); });
}

// Called whenever a node learns something; what time takes away needs no look.
void world::check_owners(const node& n) {
  if (!n.process || time_.now() < n.held_until)
    return;
  for (std::size_t b = 0; b < bucket_count; ++b) {
    if (!n.process->is->owns(b))
      continue;
    for (const auto& other : nodes_)
      if (other.get() != &n && other->process && other->process->is->owns(b))
        return broken("bucket " + std::to_string(b) + " is owned by " + n.id + " and " + other->id +
                      " at once: " + show(n.process->is->view().bucket_row(b).is));
  }
}

void world::check_rest() {
  std::vector<member> members;
  std::vector<std::size_t> owned(nodes_.size());
  std::size_t controllers = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& a = *nodes_[i]->process->is;
    if (a.isolated())
      return broken(nodes_[i]->id + " has no lease though all is well");
    controllers += a.is_controller() ? 1 : 0;
    for (std::size_t b = 0; b < bucket_count; ++b)
      owned[i] += a.owns(b) ? 1 : 0;
  }
  if (controllers != 1)
    return broken(std::to_string(controllers) + " controllers though all is well");
  const auto share = static_cast<double>(bucket_count) / static_cast<double>(nodes_.size());
  std::size_t total = 0;
  for (std::size_t b = 0; b < bucket_count; ++b) {
    const auto& r = nodes_[0]->process->is->view().bucket_row(b).is;
    for (const auto& n : nodes_)
      if (n->id == r.owner && !n->process->is->owns(b))
        note("bucket " + std::to_string(b) + " is not served: " + show(r) + "; the lease of " + n->id +
             " is " + std::to_string(n->process->is->lease().id()));
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    total += owned[i];
    if (std::abs(static_cast<double>(owned[i]) - share) >= 1)
      return broken(nodes_[i]->id + " owns " + std::to_string(owned[i]) + " buckets; its share is " +
                    std::to_string(share));
  }
  if (total != bucket_count)
    return broken(std::to_string(total) + " buckets are owned though all is well");
  const auto& view = nodes_[0]->process->is->view();
  const auto wanted = std::min<std::size_t>(3, nodes_.size());
  for (std::size_t b = 0; b < bucket_count; ++b) {
    const auto& r = view.bucket_row(b).is;
    if (r.in_sync.size() != wanted || !r.learners.empty() || !r.next.empty())
      return broken("bucket " + std::to_string(b) + " is not at rest: " + show(r));
  }
}

void world::broken(const std::string& what) {
  if (!verdict_.ok)
    return;
  verdict_.ok = false;
  verdict_.what = what;
  note("BROKEN: " + what);
}

void world::note(const std::string& what) {
  if (!tracing_)
    return;
  trace_.push_back(std::to_string(time_.now() / ms) + " ms  " + what);
  if (trace_.size() > trace_lines)
    trace_.pop_front();
}

verdict world::run() {
  for (const auto& n : nodes_)
    time_.after(time_.pick(0, 2000) * ms, [this, &n = *n] { boot(n); });
  const auto end = time_.pick(20, 45) * second;
  for (auto at = time_.pick(1000, 8000) * ms; at < end && verdict_.ok; at += time_.pick(20, 4000) * ms) {
    time_.run_until(at);
    one_fault();
  }
  if (verdict_.ok)
    heal();
  // Nodes that flapped are avoided for a while, too.
  for (const auto last = time_.now() + 100 * second; time_.now() < last && verdict_.ok;)
    time_.run_until(time_.now() + second);
  if (verdict_.ok)
    check_rest();
  verdict_.events = time_.events();
  return verdict_;
}

}  // namespace cafmcp::simulation
