#include "cluster/core/cluster_view.hpp"

#include <charconv>

namespace cafmcp::cluster {

namespace {

std::optional<std::size_t> bucket_in(std::string_view key) {
  if (!key.starts_with(buckets_prefix))
    return {};
  const auto digits = key.substr(buckets_prefix.size());
  std::size_t b = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), b);
  if (failed != std::errc{} || end != digits.data() + digits.size() || b >= bucket_count ||
      digits.size() != 3)
    return {};
  return b;
}

}  // namespace

std::vector<std::size_t> cluster_view::reset(snapshot s) {
  const auto before = rows_;
  facts_.reset(std::move(s));
  members_.clear();
  rows_ = {};
  changed_at_ = facts_.at();
  std::vector<std::size_t> wrong;
  for (const auto& [key, f] : facts_.all())
    take(f);
  // Steps may have been missed, but epochs don't go back, and rows don't go.
  for (std::size_t b = 0; b < bucket_count; ++b)
    if (rows_[b].is.epoch < before[b].is.epoch)
      wrong.push_back(b);
  return wrong;
}

std::vector<std::size_t> cluster_view::apply(const std::vector<fact_event>& events) {
  const auto seen = facts_.at();
  facts_.apply(events);
  std::vector<std::size_t> wrong;
  for (const auto& e : events) {
    if (e.what.modified <= seen || e.what.key.starts_with(beats_prefix))
      continue;
    changed_at_ = e.what.modified;
    const auto b = bucket_in(e.what.key);
    const auto before = b ? rows_[*b].is : bucket{};
    if (e.erased)
      drop(e.what.key);
    else
      take(e.what);
    if (b && !illegal(before, rows_[*b].is, nullptr).empty())
      wrong.push_back(*b);
  }
  return wrong;
}

bool cluster_view::take(const fact& f) {
  if (const auto b = bucket_in(f.key)) {
    rows_[*b] = {decode_bucket(f.value).value_or(bucket{}), f.modified};
    return true;
  }
  if (!f.key.starts_with(members_prefix))
    return false;
  const auto id = f.key.substr(members_prefix.size());
  if (auto m = decode_member(id, f.value))
    members_[id] = std::move(*m);
  else
    members_.erase(id);
  return true;
}

void cluster_view::drop(std::string_view key) {
  if (const auto b = bucket_in(key))
    rows_[*b] = {};
  if (key.starts_with(members_prefix))
    if (const auto i = members_.find(key.substr(members_prefix.size())); i != members_.end())
      members_.erase(i);
}

holder cluster_view::lease_of(std::string_view node) const {
  const auto* f = facts_.find(lease_key(node));
  return f == nullptr ? holder{} : holder{std::string{node}, f->modified, f->modified};
}

// `ID LEASE`.
holder cluster_view::controller() const {
  const auto* f = facts_.find(controller_key);
  if (f == nullptr)
    return {};
  const auto space = f->value.find(' ');
  holder out{f->value.substr(0, space), 0, f->modified};
  if (space != std::string::npos)
    std::from_chars(f->value.data() + space + 1, f->value.data() + f->value.size(), out.lease);
  return out;
}

std::string caught_up_value(const bucket& b) {
  return std::to_string(b.epoch) + ' ' + std::to_string(b.lease);
}

bool cluster_view::owner_over(const bucket& b) const {
  return b.owner.empty() || lease_of(b.owner).lease != b.lease;
}

revision cluster_view::caught_up(std::size_t b, std::string_view learner) const {
  const auto* f = facts_.find(caught_up_key(b, learner));
  const auto& r = rows_[b].is;
  return f != nullptr && f->value == caught_up_value(r) ? f->modified : 0;
}

std::size_t cluster_view::reporters(std::string_view node, lease_id lease) const {
  const auto prefix = gone_key(node, "");
  std::size_t n = 0;
  for (auto i = facts_.all().lower_bound(prefix); i != facts_.all().end() && i->first.starts_with(prefix);
       ++i)
    n += i->second.value == std::to_string(lease) && alive(i->first.substr(prefix.size())) ? 1 : 0;
  return n;
}

}  // namespace cafmcp::cluster
