#include "persistence/batch.hpp"

#include <algorithm>
#include <iterator>

#include "persistence/fields.hpp"

namespace cafmcp::persistence {

void batch_undo::before(const operation& op) {
  if (whole_)
    return;
  switch (op.kind) {
    case op_kind::protocol:
      if (!protocol_)
        protocol_ = record_.protocol;
      break;
    case op_kind::put:
      if (const auto parts = fields_in<2>(op.bytes))
        keep_key((*parts)[0]);
      break;
    case op_kind::remove:
      if (const auto parts = fields_in<1>(op.bytes))
        keep_key((*parts)[0]);
      break;
    case op_kind::trim:
      if (const auto parts = fields_in<1>(op.bytes))
        keep_entries(number_in((*parts)[0]).value_or(0));
      break;
    case op_kind::end:
      whole_ = record_;
      break;
    case op_kind::create:
    case op_kind::outbound:
    case op_kind::touch:
      break;
  }
}

void batch_undo::undo() {
  if (whole_) {  // all but the id, which the store's key points into
    record_.protocol = std::move(whole_->protocol);
    record_.user = std::move(whole_->user);
    record_.outbound = std::move(whole_->outbound);
  }
  if (protocol_)
    record_.protocol = std::move(*protocol_);
  for (auto i = keys_.rbegin(); i != keys_.rend(); ++i) {
    if (i->second)
      record_.user[i->first] = std::move(*i->second);
    else
      record_.user.erase(i->first);
  }
  while (!record_.outbound.empty() && record_.outbound.back().number > last_outbound_)
    record_.outbound.pop_back();
  // A trim that failed has taken nothing away.
  while (!entries_.empty() && !record_.outbound.empty() &&
         entries_.back().number >= record_.outbound.front().number)
    entries_.pop_back();
  record_.outbound.insert(record_.outbound.begin(), std::make_move_iterator(entries_.begin()),
                          std::make_move_iterator(entries_.end()));
  record_.ended = ended_;
  record_.created_ms = created_ms_;
  record_.last_active_ms = last_active_ms_;
  record_.epoch = epoch_;
  record_.seq = seq_;
  record_.last_outbound = last_outbound_;
}

void batch_undo::keep_key(std::string_view key) {
  const auto old = record_.user.find(key);
  keys_.emplace_back(key, old == record_.user.end() ? std::nullopt : std::optional{old->second});
}

void batch_undo::keep_entries(std::uint64_t up_to) {
  for (const auto& entry : record_.outbound)
    if (entry.number <= std::min(up_to, last_outbound_))
      entries_.push_back(entry);
}

result<void> check_batch(const std::vector<operation>& operations) {
  if (operations.empty())
    return fail(errc::invalid, "a batch without operations");
  const auto& session = operations.front().session;
  const auto number = bucket_of(session);
  for (const auto& op : operations) {
    if (op.session != session)
      return fail(errc::invalid, "a batch with operations of more than one session");
    if (op.bucket != number)
      return fail(errc::invalid, "an operation for bucket " + std::to_string(op.bucket) +
                                     " of a session that is in " + std::to_string(number));
  }
  return {};
}

session_summary summary_of(const session_record& record, std::uint64_t bytes) {
  return {record.id,
          record.principal,
          record.protocol.client_info,
          record.protocol.version,
          record.created_ms,
          record.last_active_ms,
          bytes};
}

}  // namespace cafmcp::persistence
