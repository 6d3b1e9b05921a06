#include "cluster/runtime/link/credit.hpp"

#include "cluster/runtime/link/node_link.hpp"

namespace cafmcp::cluster {

void credit_meter::give_back(std::size_t bytes) noexcept {
  const auto n = static_cast<std::int64_t>(bytes);
  const auto before = returned_.fetch_add(n);
  if (before >= worth_ || before + n < worth_)
    return;
  if (const auto link = link_.lock())
    link->credit_is_worth_a_frame(id_);
}

credited_element::~credited_element() {
  cost_.actor->give_back(cost_.actor_bytes);
  cost_.link->give_back(cost_.link_bytes);
}

}  // namespace cafmcp::cluster
