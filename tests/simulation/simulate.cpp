// Runs the cluster's logic under seeds: simulate --seeds A..B --nodes N [--mistake NAME] [--trace] [--list].
// Exit: 0 all seeds are clean (or, with a mistake, one of them has found it), 1 not, 2 usage.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "cluster/core/bugs.hpp"
#include "tests/simulation/world.hpp"

namespace cafmcp::cluster {
mistake made_mistake = mistake::none;
}

namespace {

using cafmcp::cluster::mistake;

const std::map<std::string, mistake> mistakes{
    {"lease_from_receipt", mistake::lease_from_receipt},
    {"no_margin", mistake::no_margin},
    {"end_ignored", mistake::end_ignored},
    {"impatient", mistake::impatient},
    {"no_beat_condition", mistake::no_beat_condition},
    {"any_owner", mistake::any_owner},
    {"learner_counts", mistake::learner_counts},
    {"gap_ignored", mistake::gap_ignored},
    {"unknown_is_failure", mistake::unknown_is_failure},
    {"no_row_condition", mistake::no_row_condition},
    {"epoch_kept", mistake::epoch_kept},
    {"owner_by_name", mistake::owner_by_name},
    {"serves_while_handing", mistake::serves_while_handing},
    {"stale_report", mistake::stale_report},
    {"two_shots", mistake::two_shots},
};

struct range {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
};

bool parse(const std::string& text, range& out) {
  unsigned long long first = 0;
  unsigned long long last = 0;
  char rest = 0;
  const auto n = std::sscanf(text.c_str(), "%llu..%llu%c", &first, &last, &rest);
  if (n != 2 && std::sscanf(text.c_str(), "%llu%c", &first, &rest) != 1)
    return false;
  out = {first, n == 2 ? last : first};
  return out.first <= out.last;
}

void print_counts(const cafmcp::simulation::counts& all, std::uint64_t seeds, std::uint64_t events) {
  std::cout << seeds << " seeds, " << events << " events";
  for (const auto& [what, n] : all)
    std::cout << ", " << n << ' ' << what;
  std::cout << '\n';
}

void print_trace(const cafmcp::simulation::world& w) {
  for (const auto& line : w.trace())
    std::cout << line << '\n';
}

// With a trace, for which it is run once more if that was not asked for.
void print_failure(std::uint64_t seed, std::size_t nodes, const std::string& what, bool again) {
  if (again) {
    cafmcp::simulation::world w{seed, nodes, true};
    w.run();
    print_trace(w);
  }
  std::cout << "seed " << seed << " of " << nodes << " nodes: " << what << "\nagain: simulate --seeds "
            << seed << " --nodes " << nodes << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs the logic of agreement under seeds, with a model of etcd and a network that fails."};
  std::string seeds = "1..100";
  std::size_t nodes = 3;
  std::string mistake_name;
  bool trace = false;
  app.add_option("--seeds", seeds, "A..B, or one")->capture_default_str();
  app.add_option("--nodes", nodes, "how many")->capture_default_str()->check(CLI::Range(1, 200));
  app.add_option("--mistake", mistake_name, "makes a mistake on purpose; success is to find it");
  bool list = false;
  app.add_flag("--list", list, "prints the mistakes");
  app.add_flag("--trace", trace, "prints what happened, at the end of each seed");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const auto& [name, is] : mistakes)
      std::cout << name << '\n';
    return 0;
  }
  range r;
  if (!parse(seeds, r)) {
    std::cerr << "simulate: --seeds takes A..B, as in 1..100\n";
    return 2;
  }
  if (!mistake_name.empty()) {
    const auto m = mistakes.find(mistake_name);
    if (m == mistakes.end()) {
      std::cerr << "simulate: no such mistake; there are";
      for (const auto& [name, is] : mistakes)
        std::cerr << ' ' << name;
      std::cerr << '\n';
      return 2;
    }
    cafmcp::cluster::made_mistake = m->second;
  }
  cafmcp::simulation::counts all;
  std::uint64_t events = 0;
  auto said = std::chrono::steady_clock::now();
  for (auto seed = r.first; seed <= r.last; ++seed) {
    cafmcp::simulation::world w{seed, nodes, trace};
    const auto v = w.run();
    events += v.events;
    for (const auto& [what, n] : v.happened)
      all[what] += n;
    if (!v.ok && !mistake_name.empty()) {
      std::cout << mistake_name << ": found by seed " << seed << " of " << nodes << " nodes: " << v.what
                << '\n';
      return 0;
    }
    print_trace(w);
    if (!v.ok) {
      print_failure(seed, nodes, v.what, !trace);
      return 1;
    }
    if (const auto now = std::chrono::steady_clock::now(); now - said > std::chrono::seconds{5}) {
      said = now;
      std::cerr << "simulate: seed " << seed << " of " << r.first << ".." << r.last << ", clean\n";
    }
  }
  print_counts(all, r.last - r.first + 1, events);
  if (mistake_name.empty())
    return 0;
  std::cout << mistake_name << ": not found\n";
  return 1;
}
