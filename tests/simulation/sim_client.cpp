#include "tests/simulation/sim_client.hpp"

#include <algorithm>

namespace cafmcp::simulation {

using namespace cluster;

sim_client::sim_client(std::string node, scheduler& time, model_etcd& etcd, std::function<way()> conditions,
                       std::function<void(std::function<void()>)> deliver, bool misses_gaps)
    : node_(std::move(node)),
      time_(time),
      etcd_(etcd),
      conditions_(std::move(conditions)),
      deliver_(std::move(deliver)),
      misses_gaps_(misses_gaps) {}

// A request travels, is taken by the leader if there is one, and its answer travels back. Whoever has waited
// too long is told `unknown`, whatever becomes of it later.
template <class Result>
void sim_client::ask(std::function<Result()> what, milliseconds deadline, std::function<void(Result)> then) {
  struct request {
    bool answered = false;
    std::function<void(Result)> then;
  };
  const auto r = std::make_shared<request>();
  r->then = std::move(then);
  const auto answer = [this, alive = alive_, r](Result result) {
    if (!*alive || std::exchange(r->answered, true))
      return;
    deliver_([r, result] { r->then(result); });
  };
  time_.after(deadline.count() * ms, [answer] {
    Result late{};
    late.what = outcome::unknown;
    answer(late);
  });
  const auto now = conditions_();
  const auto lost = [&] { return now.loss > 0 && time_.once_in(now.loss); };
  if (!now.out_cut && now.loss > 0 && time_.once_in(2 * now.loss)) {
    // On its way for long, as by TCP's repetitions: it arrives when nobody expects it any more.
    time_.after(time_.pick(1, 8) * second, [&etcd = etcd_, what] {
      if (etcd.up())
        what();
    });
    return;
  }
  if (now.out_cut || lost()) {
    if (time_.once_in(2))  // it never left: the host is unreachable
      time_.after(time_.pick(1, 20) * ms, [answer] { answer(Result{}); });
    return;
  }
  const auto there = time_.pick(200, 3000) + (now.slow > 0 ? time_.pick(0, now.slow) : 0);
  time_.after(there, [this, &etcd = etcd_, &time = time_, alive = alive_, what = std::move(what), answer,
                      there, lost_back = lost()] {
    if (!etcd.up()) {
      // What reaches a member without a leader is refused, or waits, and may be done by the next one.
      if (time.once_in(2))
        time.after(time.pick(100, 3000) * ms, [&etcd, what] {
          if (etcd.up())
            what();
        });
      return;
    }
    const auto result = what();
    if (!*alive || lost_back || conditions_().in_cut)
      return;
    time.after(there, [this, alive, answer, result] {
      if (*alive && !conditions_().in_cut)
        answer(result);
    });
  });
}

void sim_client::commit(transaction what, milliseconds deadline,
                        std::function<void(transaction_result)> then) {
  ask<transaction_result>(
      [&etcd = etcd_, by = node_, what = std::move(what)] { return etcd.commit(what, by); }, deadline,
      std::move(then));
}

void sim_client::read(std::string prefix, milliseconds deadline, std::function<void(result<snapshot>)> then) {
  struct found {
    outcome what = outcome::unavailable;
    snapshot s;
  };
  ask<found>(
      [&etcd = etcd_, prefix] {
        return found{outcome::done, etcd.read(prefix)};
      },
      deadline,
      [then = std::move(then)](found f) {
        then(f.what == outcome::done ? result<snapshot>{std::move(f.s)}
                                     : result<snapshot>{fail(errc::unavailable, "no answer")});
      });
}

struct sim_client::watching {
  std::string prefix;
  watch_handler handler;
  revision seen = -1;  // -1: a snapshot is due
  bool busy = false;
};

std::shared_ptr<void> sim_client::watch(std::string prefix, watch_handler handler) {
  const auto w = std::make_shared<watching>();
  w->prefix = std::move(prefix);
  w->handler = std::move(handler);
  etcd_.on_change([this, alive = alive_, weak = std::weak_ptr{w}] {
    if (const auto still = weak.lock(); still && *alive)
      pump(still);
  });
  pump(w);
  return w;
}

// Tells what is new, after a while, one batch at a time; tries again while nothing gets through.
void sim_client::pump(const std::shared_ptr<watching>& w) {
  if (std::exchange(w->busy, true))
    return;
  const auto now = conditions_();
  const auto delay = time_.pick(500, 5000) + (now.slow > 0 ? time_.pick(0, now.slow) : 0);
  time_.after(delay, [this, alive = alive_, w] {
    w->busy = false;
    if (!*alive)
      return;
    const auto c = conditions_();
    if (c.deaf || c.out_cut || c.in_cut || !etcd_.up() || (c.loss > 0 && time_.once_in(c.loss))) {
      w->busy = true;
      time_.after(time_.pick(50, 300) * ms, [this, alive, w] {
        w->busy = false;
        if (*alive)
          pump(w);
      });
      return;
    }
    if (w->seen == etcd_.at())
      return;
    const bool gap = w->seen < etcd_.forgotten();
    if (w->seen < 0 || (gap && !misses_gaps_)) {
      auto s = etcd_.read(w->prefix);
      w->seen = s.at;
      deliver_([w, s = std::move(s)] { w->handler.on_snapshot(s); });
    } else {
      std::vector<fact_event> events;
      const auto& all = *etcd_.history();
      auto i = std::upper_bound(all.begin(), all.end(), w->seen,
                                [](revision seen, const fact_event& e) { return seen < e.what.modified; });
      for (; i != all.end(); ++i)
        if (i->what.key.starts_with(w->prefix))
          events.push_back(*i);
      w->seen = etcd_.at();
      deliver_([w, events = std::move(events)] { w->handler.on_events(events); });
    }
    if (w->seen != etcd_.at())
      pump(w);
  });
}

}  // namespace cafmcp::simulation
