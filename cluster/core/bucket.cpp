#include "cluster/core/bucket.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace cafmcp::cluster {

namespace {

using names = std::vector<std::string>;

// More than a bucket ever has.
constexpr std::size_t most_names = 64;

bool contains(const names& all, std::string_view one) noexcept {
  return std::binary_search(all.begin(), all.end(), one, std::less<>{});
}

bool is_set(const names& all) {
  return all.size() <= most_names && std::is_sorted(all.begin(), all.end()) &&
         std::adjacent_find(all.begin(), all.end()) == all.end() && !contains(all, "");
}

std::optional<names> names_in(const nlohmann::json& json, const char* key) {
  const auto i = json.find(key);
  if (i == json.end() || !i->is_array() || i->size() > most_names)
    return {};
  names out;
  for (const auto& n : *i) {
    if (!n.is_string())
      return {};
    out.push_back(n.get<std::string>());
  }
  return out;
}

// What every row must be.
std::string malformed(const bucket& b) {
  if (!is_set(b.in_sync) || !is_set(b.learners))
    return "a set that is none";
  if (std::any_of(b.learners.begin(), b.learners.end(), [&](const auto& n) { return b.holds(n); }))
    return "a learner that is in sync";
  if (!b.owner.empty() && (!b.holds(b.owner) || b.lease == 0 || b.epoch == 0))
    return "an owner that is not in sync, or has no lease or epoch";
  if (b.owner.empty() && b.lease != 0)
    return "a lease without an owner";
  if (!b.next.empty() && (!b.holds(b.next) || b.next == b.owner))
    return "a next owner that is not in sync, or owns already";
  return {};
}

}  // namespace

bool bucket::holds(std::string_view node) const noexcept {
  return contains(in_sync, node);
}

bool bucket::learns(std::string_view node) const noexcept {
  return contains(learners, node);
}

std::string encode(const bucket& b) {
  return nlohmann::ordered_json{{"owner", b.owner},     {"lease", b.lease},       {"epoch", b.epoch},
                                {"in_sync", b.in_sync}, {"learners", b.learners}, {"next", b.next}}
      .dump();
}

std::optional<bucket> decode_bucket(std::string_view value) {
  const auto json = nlohmann::json::parse(value, nullptr, false);
  if (!json.is_object())
    return {};
  bucket b;
  const auto in_sync = names_in(json, "in_sync");
  const auto learners = names_in(json, "learners");
  const auto owner = json.find("owner");
  const auto next = json.find("next");
  const auto lease = json.find("lease");
  const auto epoch = json.find("epoch");
  const auto end = json.end();
  if (!in_sync || !learners || owner == end || !owner->is_string() || next == end || !next->is_string() ||
      lease == end || !lease->is_number_integer() || epoch == end || !epoch->is_number_unsigned())
    return {};
  b.owner = owner->get<std::string>();
  b.next = next->get<std::string>();
  b.lease = lease->get<lease_id>();
  b.epoch = epoch->get<std::uint64_t>();
  b.in_sync = *in_sync;
  b.learners = *learners;
  if (!malformed(b).empty())
    return {};
  return b;
}

std::string illegal(const bucket& before, const bucket& after, const proposal* how) {
  if (auto why = malformed(after); !why.empty())
    return why;
  const bool first = before == bucket{};
  const bool other_owner = after.owner != before.owner || after.lease != before.lease;
  if (after.epoch < before.epoch)
    return "an epoch that goes back";
  if (other_owner != (after.epoch > before.epoch) || after.epoch > before.epoch + 1)
    return "an epoch that doesn't count owners";
  if (first)
    return after.owner.empty() || after.in_sync != names{after.owner} ? "a beginning without an owner alone"
                                                                      : std::string{};
  if (other_owner) {
    if (after.owner.empty())
      return "a bucket that is taken from its owner for nobody";
    if (!before.holds(after.owner))
      return "an owner from outside the in-sync set";
    if (how != nullptr && !how->old_owner_gone && how->by != before.owner && !before.owner.empty())
      return "an owner that was not asked, and whose lease may not be over";
  }
  for (const auto& n : after.in_sync)
    if (!before.holds(n)) {
      if (!before.learns(n))
        return "a member of the in-sync set that was no learner";
      if (how != nullptr && !how->learner_caught_up)
        return "a learner that may lack something";
    }
  if (after.in_sync.empty())
    return "an in-sync set of nobody";
  return {};
}

}  // namespace cafmcp::cluster
