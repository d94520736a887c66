#include "test/support/sim_resolver.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::test {

namespace {

using net::AddressKind;
using net::DnsAnswer;
using net::DnsFamily;
using Records = std::vector<DnsAnswer::Record>;

Records of_kind(const Records& records, AddressKind kind) {
  Records out;
  std::copy_if(records.begin(), records.end(), std::back_inserter(out),
               [&](const auto& record) { return record.address.kind() == kind; });
  return out;
}

Records pick(const Records& records, DnsFamily family) {
  Records v4 = of_kind(records, AddressKind::kIp4);
  Records v6 = of_kind(records, AddressKind::kIp6);
  switch (family) {
    case DnsFamily::kV4Only:
      return v4;
    case DnsFamily::kV6Only:
      return v6;
    case DnsFamily::kV4Preferred:
      return v4.empty() ? v6 : v4;
    case DnsFamily::kAuto:
      return v6.empty() ? v4 : v6;
    case DnsFamily::kAll:
      break;
  }
  return records;
}

}  // namespace

void SimZone::set(const std::string& name, const std::vector<std::string>& ips, Duration ttl) {
  Records& records = names_[name];
  records.clear();
  for (const std::string& ip : ips) {
    Result<net::Address> address = net::Address::from_ip(ip, 0);
    SLUICE_CHECK(address);
    records.push_back({*address, ttl});
  }
}

uint64_t SimZone::asked(const std::string& name) const {
  const auto found = asked_.find(name);
  return found == asked_.end() ? 0 : found->second;
}

// Owned by who asks. Thread: the simulation's.
class SimResolver::Query final : public net::DnsQuery {
 public:
  Query(SimResolver& resolver, std::string name, DnsFamily family, net::OnAnswer on_answer)
      : resolver_(resolver),
        name_(std::move(name)),
        family_(family),
        on_answer_(std::move(on_answer)),
        timer_(resolver.loop_.timers(), [this] { answer(); }) {
    SimZone& zone = resolver_.zone_;
    ++zone.asked_[name_];
    const bool silent = zone.mood == SimZone::Mood::kSilent;
    const net::ResolverOptions& options = resolver_.options_;
    timer_.arm(silent ? options.query_timeout * options.tries
                      : resolver_.loop_.world().random().between(zone.latency_min, zone.latency_max));
    silent_ = silent;
  }

 private:
  void answer() {
    DnsAnswer out;
    const SimZone& zone = resolver_.zone_;
    if (const auto literal = net::Address::from_ip(name_, 0)) {  // needs no server
      out.records = pick({{*literal, Duration(0)}}, family_);
      out.status = out.records.empty() ? DnsAnswer::Status::kNone : DnsAnswer::Status::kFound;
    } else if (silent_ || zone.mood != SimZone::Mood::kWell) {
      out.error = silent_ ? "timeout" : "server failure";
    } else if (const auto found = zone.names_.find(name_); found != zone.names_.end()) {
      out.records = pick(found->second, family_);
      out.status = out.records.empty() ? DnsAnswer::Status::kNone : DnsAnswer::Status::kFound;
    } else {
      out.status = DnsAnswer::Status::kNone;
      out.error = "no such name";
    }
    resolver_.loop_.world().trace("dns answer", static_cast<uint64_t>(out.status), out.records.size());
    net::OnAnswer on_answer = std::move(on_answer_);  // it may destroy us
    on_answer(std::move(out));
  }

  SimResolver& resolver_;
  const std::string name_;
  const DnsFamily family_;
  bool silent_ = false;
  net::OnAnswer on_answer_;
  event::Timer timer_;
};

std::unique_ptr<net::DnsQuery> SimResolver::resolve(const std::string& name, DnsFamily family,
                                                    net::OnAnswer on_answer) {
  return std::make_unique<Query>(*this, name, family, std::move(on_answer));
}

}  // namespace sluice::test
