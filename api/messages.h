// Makes every message of api/ known to google::protobuf::DescriptorPool::generated_pool() and its MessageFactory.
//
// A static library gives the linker only the objects that something names, and a message that is met only as the
// content of an Any is named by nobody. Whoever looks messages up by name calls use_all_messages() first; it does no
// work at run time, the reference is what counts.
#pragma once

namespace sluice::api {

// The number of .proto files that are known. Thread: any.
int use_all_messages();

}  // namespace sluice::api
