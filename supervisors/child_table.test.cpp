#define CAF_SUITE child_table

#include "supervisors/child_table.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "supervisors/child_watch.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::otp;

namespace {

class idle final : public base_actor {
 public:
  using base_actor::base_actor;
  const char* name() const override { return "idle"; }
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }
};

/// What is known of a child, kept beside the table.
struct expected {
  child_ptr c;
  std::string id;
  caf::actor actor;
  caf::actor_id pid = 0;
  child_ticket ticket;
  child_status status = child_status::stopped;
  bool significant = false;
  child_type type = child_type::worker;
};

struct fixture : test_coordinator_fixture<> {
  child_spec spec(std::string id, bool significant = false, child_type type = child_type::worker) {
    child_spec s;
    s.id = std::move(id);
    s.start = [](const start_context&) -> start_result { return ignored{}; };
    s.restart = restart::transient;
    s.significant = significant;
    s.type = type;
    return s;
  }
  caf::actor actor() { return sys.spawn<idle>(); }
};

/// Random operations on a table and on a plain list, which must agree after each of them.
class contest {
 public:
  contest(fixture& f, bool instances, unsigned seed)
      : fixture_(f), instances_(instances), table_(instances), random_(seed) {}

  void step() {
    switch (below(8)) {
      case 0:
      case 1:
        return add();
      case 2:
        return remove();
      case 3:
      case 4:
        return assign();
      case 5:
        return set_status();
      case 6:
        return set_kind();
      default:
        return below(4) == 0 ? put_first() : forget_start();
    }
  }

  /// Empty if all is as it should be.
  std::string difference() {
    if (table_.size() != model_.size() || table_.empty() != model_.empty())
      return "size";
    std::size_t place = 0;
    for (const auto& c : table_.order())
      if (&c != model_[place++].c.get())
        return "order";
    for (const auto& e : model_)
      if (auto why = difference(e); !why.empty())
        return why;
    for (const auto& old : void_tickets_)
      if (table_.find(old))
        return "a ticket that is void finds somebody";
    for (const auto& gone : gone_)
      if (gone->listed || (!instances_ && listed_id(gone->id) == nullptr && table_.find(gone->id)))
        return "one that was removed is found";
    return counts();
  }

 private:
  std::string difference(const expected& e) {
    const auto is = [&](const child_ptr& found) { return found == e.c; };
    if (!e.c->listed || e.c->status != e.status || e.c->actor != e.actor)
      return "state";
    if (!instances_ && !is(table_.find(std::string_view{e.id})))
      return "find by id";
    if (instances_ && e.pid != 0 && !is(table_.find(e.pid)))
      return "find by pid";
    if (!instances_ && e.pid != 0 && table_.find(e.pid))
      return "a child with an id is found by its number";
    if (e.ticket.generation != 0 && !is(table_.find(e.ticket)))
      return "find by ticket";
    if (!is(table_.snapshot(e.c.get()).front()))
      return "snapshot";
    return {};
  }

  std::string counts() const {
    const auto count = [&](auto f) {
      return static_cast<std::uint64_t>(std::count_if(model_.begin(), model_.end(), f));
    };
    const auto& c = table_.counts();
    if (c.specs != (instances_ ? 0 : model_.size()))
      return "specs";
    if (c.active != count([](const expected& e) { return e.actor != nullptr; }))
      return "active";
    if (c.supervisors != count([](const expected& e) { return e.type == child_type::supervisor; }))
      return "supervisors";
    if (c.workers != count([](const expected& e) { return e.type == child_type::worker; }))
      return "workers";
    if (table_.significant() !=
        count([](const expected& e) { return e.significant && e.status != child_status::stopped; }))
      return "significant";
    return {};
  }

  unsigned below(std::size_t n) { return static_cast<unsigned>(random_() % n); }
  expected* any() { return model_.empty() ? nullptr : &model_[below(model_.size())]; }
  const expected* listed_id(const std::string& id) const {
    const auto i = std::find_if(model_.begin(), model_.end(), [&](const expected& e) { return e.id == id; });
    return i == model_.end() ? nullptr : &*i;
  }

  void add() {
    expected e;
    e.id = "id" + std::to_string(below(30));
    if (!instances_ && listed_id(e.id) != nullptr)
      return;
    e.significant = below(2) == 0;
    e.type = below(3) == 0 ? child_type::supervisor : child_type::worker;
    e.c = table_.make(fixture_.spec(e.id, e.significant, e.type));
    table_.add(e.c);
    model_.push_back(std::move(e));
  }

  void remove() {
    if (model_.empty())
      return;
    const auto i = model_.begin() + below(model_.size());
    retire(i->ticket);
    table_.remove(*i->c);
    gone_.push_back(i->c);
    model_.erase(i);
  }

  void assign() {
    auto* e = any();
    if (e == nullptr)
      return;
    retire(e->ticket);
    e->actor = nullptr;
    if (below(3) != 0) {
      e->actor = fixture_.actor();
      e->pid = e->actor.id();
    }
    table_.assign(*e->c, e->actor);
    e->ticket = e->c->ticket();
  }

  void set_status() {
    if (auto* e = any()) {
      e->status = static_cast<child_status>(below(5));
      table_.set_status(*e->c, e->status);
    }
  }

  void set_kind() {
    if (auto* e = any()) {
      e->significant = below(2) == 0;
      e->type = below(2) == 0 ? child_type::supervisor : child_type::worker;
      table_.set_kind(*e->c, new shared_kind{fixture_.spec(e->id, e->significant, e->type)});
    }
  }

  void forget_start() {
    if (auto* e = any())
      table_.forget_start(*e->c);
  }

  void put_first() {
    std::shuffle(model_.begin(), model_.end(), random_);
    // The others keep their order.
    const auto some = model_.begin() + (model_.empty() ? 0 : below(model_.size()));
    std::map<const child*, std::size_t> place;
    for (const auto& c : table_.order())
      place.emplace(&c, place.size());
    std::sort(some, model_.end(),
              [&](const expected& a, const expected& b) { return place[a.c.get()] < place[b.c.get()]; });
    std::vector<child_ptr> first;
    for (auto i = model_.begin(); i != some; ++i)
      first.push_back(i->c);
    table_.put_first(first);
  }

  void retire(child_ticket t) {
    if (t.generation != 0)
      void_tickets_.push_back(t);
  }

  fixture& fixture_;
  const bool instances_;
  child_table table_;
  std::mt19937 random_;
  std::vector<expected> model_;
  std::vector<child_ptr> gone_;
  std::vector<child_ticket> void_tickets_;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(child_table_tests, fixture)

CAF_TEST(children with ids are as a plain list of them says) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    contest c{*this, false, seed};
    for (int i = 0; i < 500; ++i) {
      c.step();
      CAF_REQUIRE_EQUAL(c.difference(), "");
    }
  }
}

CAF_TEST(instances are as a plain list of them says) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    contest c{*this, true, seed};
    for (int i = 0; i < 500; ++i) {
      c.step();
      CAF_REQUIRE_EQUAL(c.difference(), "");
    }
  }
}

CAF_TEST(a ticket is void as soon as the actor is another or none) {
  child_table table{false};
  const auto c = table.make(spec("a"));
  table.add(c);
  table.assign(*c, actor());
  const auto first = c->ticket();
  CAF_CHECK(table.find(first) == c);
  table.assign(*c, actor());
  const auto second = c->ticket();
  CAF_CHECK(!table.find(first));
  CAF_CHECK(table.find(second) == c);
  table.assign(*c, nullptr);
  CAF_CHECK(!table.find(second));
  const auto third = c->ticket();
  table.remove(*c);
  const auto other = table.make(spec("b"));
  table.add(other);
  table.assign(*other, actor());
  CAF_CHECK_EQUAL(other->slot, c->slot);
  for (const auto& t : {first, second, third})
    CAF_CHECK(!table.find(t));
}

CAF_TEST(an instance goes by its last number until it has another) {
  child_table table{true};
  const auto c = table.make(spec("template"));
  table.add(c);
  const auto one = actor();
  const auto two = actor();
  table.assign(*c, one);
  table.assign(*c, nullptr);
  CAF_CHECK(table.find(one.id()) == c);
  table.assign(*c, two);
  CAF_CHECK(!table.find(one.id()));
  CAF_CHECK(table.find(two.id()) == c);
  table.remove(*c);
  CAF_CHECK(!table.find(two.id()));
}

CAF_TEST(an instance that goes does not take along the number of another with the same actor) {
  child_table table{true};
  const auto a = table.make(spec("template"));
  const auto b = table.make(spec("template"));
  const auto shared = actor();
  for (const auto& c : {a, b}) {
    table.add(c);
    table.assign(*c, shared);
  }
  table.remove(*b);
  CAF_CHECK(table.find(shared.id()) == a);
  table.remove(*a);
  CAF_CHECK(!table.find(shared.id()));
}

CAF_TEST(children of one kind share it) {
  child_table table{false};
  const auto like = spec("a");
  auto other = like;
  other.id = "b";
  const auto a = table.make(like);
  const auto b = table.make(other);
  CAF_CHECK(a->kind == b->kind);
  CAF_CHECK_EQUAL(b->id, "b");
  other.significant = true;
  CAF_CHECK(table.make(other)->kind != a->kind);
  CAF_CHECK(table.make(like)->kind != nullptr);
}

CAF_TEST(what has lost its start keeps the rest and shares it) {
  child_table table{false};
  const auto a = table.make(spec("a", true));
  const auto b = table.make(spec("b", true));
  table.add(a);
  table.add(b);
  table.forget_start(*a);
  table.forget_start(*b);
  CAF_CHECK(a->kind == b->kind);
  CAF_CHECK(!a->kind->start);
  CAF_CHECK(a->kind->significant);
  CAF_CHECK(a->kind->restart == restart::transient);
}

CAF_TEST(a table that ends lets go of its children) {
  child_ptr c;
  {
    child_table table{false};
    c = table.make(spec("a"));
    table.add(c);
    table.assign(*c, actor());
  }
  CAF_CHECK(!c->listed);
  CAF_CHECK(!c->actor);
  CAF_CHECK_EQUAL(c->use_count(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
