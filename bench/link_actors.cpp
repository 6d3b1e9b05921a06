#include "bench/link_actors.hpp"

#include <caf/all.hpp>

namespace cafmcp::bench {

namespace {

// Sent before others get a turn.
constexpr int burst = 16;

}  // namespace

caf::behavior echo_part::behavior() {
  return {[](blob& x) { return std::move(x); }};
}

caf::behavior sink_part::behavior() {
  return {
      [this](const blob& x) { count(x); },
      [this](const count_wanted&) {
        untold_ = 0;
        return std::exchange(count_, {});
      },
  };
}

void sink_part::count(const blob& x) {
  ++count_.messages;
  count_.bytes += x.bytes.size();
  if (tell_every_ == 0 || (untold_ += x.bytes.size()) < tell_every_)
    return;
  self_.send(caf::actor_cast<caf::actor>(self_.current_sender()), taken{std::exchange(untold_, 0)});
}

caf::behavior round_trip_part::behavior() {
  return {[this](go_on) {
    begin_ = clock::now();
    left_ = what_.in_flight;
    for (std::size_t i = 0; i < what_.in_flight; ++i)
      ask();
  }};
}

void round_trip_part::ask() {
  self_.request(echo_, caf::infinite, blob{std::string(what_.bytes, 'x')})
      .then([this, asked = clock::now()](const blob& answer) { on_answer(asked, answer); },
            [this](const caf::error& why) { fail(caf::to_string(why)); });
}

void round_trip_part::on_answer(clock::time_point asked, const blob& answer) {
  const auto now = clock::now();
  if (answer.bytes.size() != what_.bytes)
    return fail("an answer that is no echo");
  result_.latencies.record(static_cast<std::uint64_t>((now - asked).count()));
  if (now - begin_ < what_.duration)
    return ask();
  if (--left_ > 0)
    return;
  result_.seconds = std::chrono::duration<double>{now - begin_}.count();
  done_.set_value(std::move(result_));
  self_.quit();
}

void round_trip_part::fail(const std::string& why) {
  if (std::exchange(left_, 0) == 0)
    return;
  done_.set_exception(std::make_exception_ptr(std::runtime_error("a request failed: " + why)));
  self_.quit();
}

caf::behavior producer_part::behavior() {
  return {
      [this](go_on) {
        if (result_.sent == 0)
          begin_ = clock::now();
        waits_ = false;
        send_some();
      },
      [this](const taken& x) {
        pace_.on_taken(x.bytes);
        if (waits_ && pace_.has_room()) {
          waits_ = false;
          send_some();
        }
      },
  };
}

void producer_part::send_some() {
  if (clock::now() - begin_ >= what_.duration)
    return finish();
  for (int i = 0; i < burst; ++i) {
    if (!pace_.has_room()) {
      waits_ = true;
      return pace_.wait(caf::actor_cast<caf::actor>(&self_));
    }
    self_.send(sink_, blob{std::string(what_.bytes, 'x')});
    pace_.on_sent(what_.bytes);
    ++result_.sent;
  }
  caf::anon_send(caf::actor_cast<caf::actor>(&self_), go_on{});
}

// Behind all that was sent.
void producer_part::finish() {
  self_.request(sink_, caf::infinite, count_wanted{})
      .then(
          [this](const arrived& came) {
            result_.came = came;
            result_.seconds = std::chrono::duration<double>{clock::now() - begin_}.count();
            done_.set_value(result_);
            self_.quit();
          },
          [this](const caf::error& why) {
            done_.set_exception(
                std::make_exception_ptr(std::runtime_error("a request failed: " + caf::to_string(why))));
            self_.quit();
          });
}

caf::behavior flood_part::behavior() {
  return {[this](go_on) {
    for (int i = 0; i < burst && left_ > 0; ++i, --left_)
      self_.send(sink_, blob{std::string(bytes_, 'x')});
    if (left_ > 0)
      return caf::anon_send(caf::actor_cast<caf::actor>(&self_), go_on{});
    done_.set_value();
    self_.quit();
  }};
}

}  // namespace cafmcp::bench
