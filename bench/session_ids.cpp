#include "bench/session_ids.hpp"

#include <algorithm>
#include <fstream>

namespace cafmcp::bench {

void id_sample::keep(drawn d) {
  if (kept_.size() == size_) {
    if (size_ == 0 || d >= kept_.front())
      return;
    std::pop_heap(kept_.begin(), kept_.end());
    kept_.pop_back();
  }
  kept_.push_back(std::move(d));
  std::push_heap(kept_.begin(), kept_.end());
}

void id_sample::add(std::string_view id) {
  const std::uint64_t number = random_();
  // Nearly always: no copy of the id.
  if (kept_.size() < size_ || (size_ > 0 && number < kept_.front().first))
    keep({number, std::string{id}});
}

void id_sample::merge(const id_sample& other) {
  size_ = std::max(size_, other.size_);
  for (const drawn& d : other.kept_)
    keep(d);
}

std::vector<std::string> id_sample::ids() const {
  auto sorted = kept_;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> out;
  for (auto& d : sorted)
    out.push_back(std::move(d.second));
  return out;
}

result<std::vector<std::string>> read_ids(const std::string& path) {
  const std::string file_name = "file '" + path + "': ";
  const auto visible = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  std::ifstream file{path};
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) {
    const std::string where = file_name + "line " + std::to_string(out.size() + 1);
    if (out.size() == max_ids)
      return fail(errc::invalid, where + ": more ids than the " + std::to_string(max_ids) + " that fit");
    if (line.empty() || line.size() > max_id_bytes || !std::all_of(line.begin(), line.end(), visible))
      return fail(errc::invalid, where + " is no id: 1 to " + std::to_string(max_id_bytes) +
                                     " visible characters, as --session open --ids writes them");
    out.push_back(std::move(line));
  }
  if (!file.is_open() || file.bad())
    return fail(errc::io, file_name + "cannot read it");
  if (out.empty())
    return fail(errc::invalid, file_name + "has no ids");
  return out;
}

result<void> write_ids(const std::string& path, const std::vector<std::string>& ids) {
  std::ofstream file{path, std::ios::trunc};
  for (const auto& id : ids)
    file << id << '\n';
  file.close();
  if (!file)
    return fail(errc::io, "file '" + path + "': cannot write the ids of sessions to it");
  return {};
}

}  // namespace cafmcp::bench
