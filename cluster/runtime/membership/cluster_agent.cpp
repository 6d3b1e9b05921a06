#include "cluster/runtime/membership/cluster_agent.hpp"

#include "base/log.hpp"

namespace cafmcp::cluster {

namespace {

log::logger& logger() {
  static auto& instance = log::get("cluster");
  return instance;
}

using clock = cluster_state::clock;

// To the millisecond, which the margin of a lease covers many times over.
moment now_ms() {
  return std::chrono::floor<moment>(clock::now().time_since_epoch());
}

cluster_picture picture_of(const agent& a, std::size_t replicas) {
  const auto& view = a.view();
  cluster_picture p;
  p.known = view.at() > 0;
  p.in_contact = a.in_contact();
  p.isolated = a.isolated();
  p.left = a.left();
  p.self = a.self().id;
  p.controller = view.controller().node;
  p.revision = view.at();
  if (!p.known)
    return p;  // not even that nobody owns anything
  std::size_t alive = 0;
  for (const auto& [id, m] : view.members()) {
    p.members.push_back({m, view.alive(id), 0, 0, 0});
    alive += p.members.back().alive ? 1 : 0;
  }
  const auto of = [&](const std::string& id) -> member_view* {
    const auto i = std::lower_bound(p.members.begin(), p.members.end(), id,
                                    [](const member_view& m, const std::string& x) { return m.is.id < x; });
    return i != p.members.end() && i->is.id == id ? &*i : nullptr;
  };
  const auto wanted = std::min(replicas, alive);
  for (std::size_t b = 0; b < bucket_count; ++b) {
    const auto& r = view.bucket_row(b).is;
    p.epoch += r.epoch;
    p.unowned += view.owner_over(r) ? 1 : 0;
    p.degraded += r.in_sync.size() < wanted ? 1 : 0;
    p.moving += !r.learners.empty() || !r.next.empty() ? 1 : 0;
    p.own += a.owns(b) ? 1 : 0;
    if (auto* m = of(r.owner))
      ++m->owned;
    for (const auto& n : r.in_sync)
      if (auto* m = of(n))
        ++m->held;
    for (const auto& n : r.learners)
      if (auto* m = of(n))
        ++m->learning;
  }
  return p;
}

}  // namespace

cluster_agent::cluster_agent(caf::actor_config& config, std::shared_ptr<const membership> with)
    : base_actor(config), with_(std::move(with)) {}

caf::behavior cluster_agent::make_behavior() {
  auto made = with_->make_coordinator(home()->io());
  if (!made) {
    refuse_start(otp::make_exit(otp::exit_code::start_failed, made.error().message));
    return {};
  }
  coordinator_ = std::move(*made);
  agent_events events;
  // Nothing is kept in buckets yet, so whoever learns one has everything at once.
  events.on_learner = [this](std::size_t b, const std::string& who) { agent_->caught_up(b, who); };
  events.on_change = [this] {
    changed_ = true;
    publish_owned();  // at once: what is being handed over must not be served a moment longer
  };
  events.on_note = [](const std::string& what) { logger().warn("agreement", {{"detail", what}}); };
  agent_ = std::make_unique<agent>(*coordinator_, with_->options, std::move(events), now_ms);
  agent_->start();
  tick();
  return {
      [this](set_draining what) {
        agent_->drain(what.on);
        return agent_done{};
      },
      [this](leave_cluster) { return leave(); },
      [this](const remove_member& what) { return remove(what.id); },
  };
}

void cluster_agent::tick() {
  start_timer(with_->tick, [this] { tick(); });
  look_at_links();
  agent_->tick();
  publish();
}

// A process is gone when its link has closed and its host refuses to be dialled: its listening socket lives
// as long as the process does.
void cluster_agent::look_at_links() {
  // What was said of the dead may have to be said again, until it is known.
  const auto changes = with_->links ? with_->links->changes() : 0;
  if (changes == seen_changes_ && !somebody_gone_)
    return;
  seen_changes_ = changes;
  somebody_gone_ = false;
  for (const auto& [name, peer] : with_->links->list()) {
    if (peer.about.id.empty() || peer.about.id == agent_->self().id)
      continue;
    const bool gone = !peer.link && peer.links > 0 && peer.nobody_listens;
    if (gone)
      agent_->process_gone(peer.about.id, peer.about.incarnation);
    if (gone || (peer.link && agent_->process_back(peer.about.id)))
      somebody_gone_ = true;
  }
}

void cluster_agent::publish() {
  auto& state = *with_->state;
  state.set_sure_until(clock::time_point{agent_->lease().id() == 0 ? moment{0} : agent_->lease().until()});
  const bool isolated = agent_->isolated();
  const bool contact = agent_->in_contact();
  if (!changed_ && isolated == published_isolated_ && contact == published_contact_)
    return;
  changed_ = false;
  if (isolated != published_isolated_)
    logger().warn(isolated ? "this node's lease is not sure: it owns nothing" : "this node's lease is sure");
  published_isolated_ = isolated;
  published_contact_ = contact;
  std::vector<bucket> rows;
  for (std::size_t b = 0; b < bucket_count && agent_->view().at() > 0; ++b)
    rows.push_back(agent_->view().bucket_row(b).is);
  publish_owned();
  state.set(std::make_shared<const cluster_picture>(picture_of(*agent_, with_->options.limits.replicas)),
            std::move(rows));
}

void cluster_agent::publish_owned() {
  if (!agent_)
    return;
  for (std::size_t b = 0; b < bucket_count; ++b)
    with_->state->set_owned(b, agent_->owns(b));
}

caf::result<agent_done> cluster_agent::leave() {
  if (!agent_->drained())
    return otp::make_exit(otp::exit_code::running, "this node is not drained yet");
  auto promise = make_response_promise<agent_done>();
  agent_->leave([promise](outcome what) mutable {
    if (what == outcome::done)
      promise.deliver(agent_done{});
    else
      promise.deliver(otp::make_exit(otp::exit_code::timeout, "the coordinator did not answer"));
  });
  changed_ = true;
  publish();
  return caf::delegated<agent_done>{};
}

caf::result<agent_done> cluster_agent::remove(const std::string& id) {
  if (!agent_->view().members().contains(id))
    return otp::make_exit(otp::exit_code::not_found, "no member has that id");
  if (agent_->needed(id))
    return otp::make_exit(otp::exit_code::running, "nobody else who is up has some of its buckets; start it");
  auto promise = make_response_promise<agent_done>();
  agent_->remove(id, [promise](outcome what) mutable {
    if (what == outcome::done)
      promise.deliver(agent_done{});
    else if (what == outcome::refused)
      promise.deliver(otp::make_exit(otp::exit_code::running, "the node is up, or has just changed"));
    else
      promise.deliver(otp::make_exit(otp::exit_code::timeout, "the coordinator did not answer"));
  });
  return caf::delegated<agent_done>{};
}

void cluster_agent::terminate(const caf::error&) {
  with_->state->set_sure_until(clock::time_point{});
  for (std::size_t b = 0; b < bucket_count; ++b)
    with_->state->set_owned(b, false);
  agent_.reset();
  coordinator_.reset();
}

}  // namespace cafmcp::cluster
