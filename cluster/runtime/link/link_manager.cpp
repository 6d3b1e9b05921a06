#include "cluster/runtime/link/link_manager.hpp"

#include "base/log.hpp"
#include "cluster/runtime/link/certificate.hpp"
#include "cluster/runtime/link/peer.hpp"
#include "supervisors/supervisor_requests.hpp"

namespace cafmcp::cluster {

namespace {

log::logger& logger() {
  static auto& instance = log::get("cluster");
  return instance;
}

// Between two lines about strangers.
constexpr std::chrono::seconds refusal_pause{10};

// Between two looks at a seed that has answered.
constexpr std::chrono::seconds seed_pause{5};

// Lines about one seed until it answers.
constexpr std::size_t most_reasons = 8;

// Lookups that wait for other nodes.
constexpr std::size_t most_questions = 65'536;

constexpr std::chrono::seconds start_limit{10};

// Where the actor of a node is found.
std::string name_of_peer(const std::string& node) {
  return "links/peers/" + node;
}

otp::child_spec peer_spec(const link_environment_ptr& environment, const std::string& node) {
  auto spec = otp::worker<peer>(node, "peer", environment, node);
  spec.name = name_of_peer(node);
  spec.restart = otp::restart::transient;  // one that is given up ends normally
  return spec;
}

}  // namespace

link_manager::link_manager(caf::actor_config& config, link_environment_ptr environment,
                           std::vector<config::address> seeds, std::shared_ptr<otp::name_table> names,
                           std::string peers)
    : base_actor(config),
      environment_(std::move(environment)),
      names_(std::move(names)),
      supervisor_(std::move(peers)) {
  const auto& m = environment_->manners;
  for (auto& s : seeds)
    seeds_.push_back({std::move(s),
                      {m.first_retry, m.longest_retry, environment_->self.incarnation + seeds_.size()},
                      {},
                      nullptr,
                      {}});
}

caf::behavior link_manager::make_behavior() {
  for (std::size_t i = 0; i < seeds_.size(); ++i)
    look_after(i);
  if (environment_->tls)
    watch_certificate();
  return {
      [this](const candidate_event& e) { on_candidate(e); },
      [this](const find_remote& what) { return find(what); },
      [this](const remote_found& what) {
        const auto i = questions_.find(what.question);
        if (i == questions_.end())
          return;
        if (what.actor)
          i->second.deliver(what.actor);
        else
          i->second.deliver(what.why);
        questions_.erase(i);
      },
  };
}

void link_manager::on_candidate(const candidate_event& e) {
  for (std::size_t i = 0; i < seeds_.size(); ++i)
    if (seeds_[i].dialling == e.who)
      on_seed(i, e);
  if (e.who->met_self())
    return;
  // What has failed before its proof is nobody's.
  if (e.what == candidate::event::failed && !e.who->dialled() && e.who->failure().code != errc::conflict)
    note_refusal(*e.who);
  pass_on(e);
}

void link_manager::pass_on(const candidate_event& e) {
  const auto& node = e.who->peer().node;
  if (const auto starting = early_.find(node); starting != early_.end())
    return starting->second.push_back(e);
  if (const auto to = names_->lookup(name_of_peer(node)))
    return caf::anon_send(*to, e);
  if (e.what != candidate::event::proven)
    return;
  auto& directory = *environment_->directory;
  if (!directory.knows(node) && directory.size() >= environment_->manners.peers) {
    ++directory.strangers().refused;
    return e.who->refuse("this node knows " + std::to_string(directory.size()) + " others already");
  }
  directory.change(node, [&](peer_view& view) {
    view.about = e.who->peer();
    view.about.nonce.clear();
  });
  early_[node].push_back(e);
  bring_up(node);
}

void link_manager::bring_up(const std::string& node) {
  const auto supervisor = names_->lookup(supervisor_);
  if (!supervisor)
    return give_up(node, otp::make_exit(otp::exit_code::restarting));
  const auto started = [this, node](const otp::child_started& c) { hand_over(node, c.actor); };
  const auto failed = [this, node](caf::error& why) { give_up(node, why); };
  ask(
      *supervisor, start_limit, started,
      [=, this, to = *supervisor](caf::error& why) {
        if (const auto there = otp::running_child(why))
          return hand_over(node, there);
        if (why == otp::exit_code::already_present)  // it was given up before
          return ask(to, start_limit, started, failed, otp::restart_child{node});
        give_up(node, why);
      },
      otp::start_child{peer_spec(environment_, node)});
}

void link_manager::hand_over(const std::string& node, const caf::actor& actor) {
  if (!actor)
    return give_up(node, otp::make_exit(otp::exit_code::noproc));
  const auto events = early_.extract(node);
  for (const auto& e : events.mapped())
    caf::anon_send(actor, e);
}

// Between death and restart, perhaps: the node will dial again.
void link_manager::give_up(const std::string& node, const caf::error& why) {
  logger().warn("no actor for a node yet", {{"node", node}, {"reason", otp::describe(why)}});
  const auto events = early_.extract(node);
  for (const auto& e : events.mapped())
    e.who->drop();
}

void link_manager::note_refusal(const candidate& c) {
  ++environment_->directory->strangers().refused;
  ++unsaid_refusals_;
  if (quiet_)
    return;
  logger().warn("a connection to the cluster port was refused",
                {{"from", c.remote()}, {"reason", c.failure().message}, {"refused", unsaid_refusals_}});
  unsaid_refusals_ = 0;
  quiet_ = true;
  start_timer(refusal_pause, [this] {
    quiet_ = false;
    if (unsaid_refusals_ > 0)
      logger().warn("connections to the cluster port were refused", {{"refused", unsaid_refusals_}});
    unsaid_refusals_ = 0;
  });
}

void link_manager::watch_certificate() {
  const auto& m = environment_->manners;
  const auto until = environment_->tls->expires();
  const auto left = until - std::chrono::system_clock::now();
  if (left <= left.zero())
    logger().error("the certificate has expired: no new links", {{"expired", shown_time(until)}});
  else if (left < m.expiry_notice)
    logger().warn("the certificate expires soon: put a new one in its place and send SIGHUP",
                  {{"expires", shown_time(until)}});
  start_timer(m.expiry_pause, [this] { watch_certificate(); });
}

void link_manager::look_after(std::size_t index) {
  auto& s = seeds_[index];
  if (!s.node.empty() && environment_->directory->knows(s.node)) {
    start_timer(seed_pause, [this, index] { look_after(index); });
    return;
  }
  s.dialling = candidate::dial(environment_, home()->io(), s.address.host, s.address.port, {});
  s.dialling->start([me = address()](const std::shared_ptr<candidate>& c, candidate::event what) {
    otp::tell(me, candidate_event{c, what});
  });
}

void link_manager::on_seed(std::size_t index, const candidate_event& e) {
  auto& s = seeds_[index];
  if (e.what == candidate::event::proven) {
    s.node = e.who->peer().node;
    s.said.clear();
    return;
  }
  s.dialling = nullptr;
  if (e.what == candidate::event::failed && e.who->met_self())
    return;  // one of the seeds is this node
  if (e.what == candidate::event::failed && s.node.empty()) {
    const auto& why = e.who->failure().message;
    if (s.said.size() < most_reasons && s.said.insert(why).second)  // not at each attempt
      logger().warn("a seed does not answer yet", {{"seed", e.who->remote()}, {"reason", why}});
    start_timer(s.delay.next(), [this, index] { look_after(index); });
    return;
  }
  s.delay.reset();
  start_timer(seed_pause, [this, index] { look_after(index); });
}

caf::result<caf::actor> link_manager::find(const find_remote& what) {
  const auto link = environment_->directory->find(what.node);
  if (!link)
    return make_link_error(link_error::not_linked, "no link to node " + what.node + " now");
  if (questions_.size() >= most_questions)
    return make_link_error(link_error::overloaded);
  const auto question = ++last_question_;
  questions_.emplace(question, make_response_promise<caf::actor>());
  link->lookup(what.name, [me = address(), question](caf::actor who, const caf::error& why) {
    otp::tell(me, remote_found{question, std::move(who), why});
  });
  return caf::delegated<caf::actor>{};
}

}  // namespace cafmcp::cluster
