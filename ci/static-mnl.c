/*
 * The part of libmnl that libnftnl calls when it writes netlink messages, for the static build: Debian has libnftnl.a but
 * no libmnl.a. libmnl.h says what each function does; this is an implementation of its own, under roadblock's licences.
 *
 * roadblock opens its netlink sockets itself and never asks libnftnl to; so mnl_socket_open() refuses, and what needs a
 * socket or a message from one cannot be reached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

/* Messages: a header whose length grows with what is put behind it. */

struct nlmsghdr *mnl_nlmsg_put_header(void *buffer)
{
	struct nlmsghdr *message = memset(buffer, 0, MNL_NLMSG_HDRLEN);

	message->nlmsg_len = MNL_NLMSG_HDRLEN;
	return message;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *message, size_t size)
{
	void *header = (char *)message + message->nlmsg_len;

	message->nlmsg_len += MNL_ALIGN(size);
	return memset(header, 0, MNL_ALIGN(size));
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *message)
{
	return (char *)message + MNL_NLMSG_HDRLEN;
}

static void *message_end(const struct nlmsghdr *message)
{
	return (char *)message + MNL_ALIGN(message->nlmsg_len);
}

/* Batches: messages one behind the other in a buffer; the last one may be begun beyond its limit, and then stays out. */

struct mnl_nlmsg_batch {
	char *buffer;
	size_t limit;
	size_t used;
	bool last_is_out;
};

struct mnl_nlmsg_batch *mnl_nlmsg_batch_start(void *buffer, size_t limit)
{
	struct mnl_nlmsg_batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		return NULL;
	batch->buffer = buffer;
	batch->limit = limit;
	return batch;
}

void mnl_nlmsg_batch_stop(struct mnl_nlmsg_batch *batch)
{
	free(batch);
}

void *mnl_nlmsg_batch_current(struct mnl_nlmsg_batch *batch)
{
	return batch->buffer + batch->used;
}

bool mnl_nlmsg_batch_next(struct mnl_nlmsg_batch *batch)
{
	const struct nlmsghdr *message = mnl_nlmsg_batch_current(batch);

	batch->last_is_out = batch->used + message->nlmsg_len > batch->limit;
	if (!batch->last_is_out)
		batch->used += message->nlmsg_len;
	return !batch->last_is_out;
}

void mnl_nlmsg_batch_reset(struct mnl_nlmsg_batch *batch)
{
	size_t kept = 0;

	if (batch->last_is_out) {
		const struct nlmsghdr *message = mnl_nlmsg_batch_current(batch);

		kept = message->nlmsg_len;
		memmove(batch->buffer, message, kept);
	}
	batch->used = kept;
	batch->last_is_out = false;
}

size_t mnl_nlmsg_batch_size(struct mnl_nlmsg_batch *batch)
{
	return batch->used;
}

void *mnl_nlmsg_batch_head(struct mnl_nlmsg_batch *batch)
{
	return batch->buffer;
}

bool mnl_nlmsg_batch_is_empty(struct mnl_nlmsg_batch *batch)
{
	return batch->used == 0;
}

/* Attributes written. */

void mnl_attr_put(struct nlmsghdr *message, uint16_t type, size_t length, const void *data)
{
	struct nlattr *attribute = message_end(message);
	size_t whole = MNL_ATTR_HDRLEN + length;

	attribute->nla_type = type;
	attribute->nla_len = whole;
	if (length > 0)
		memcpy((char *)attribute + MNL_ATTR_HDRLEN, data, length);
	memset((char *)attribute + whole, 0, MNL_ALIGN(whole) - whole);
	message->nlmsg_len += MNL_ALIGN(whole);
}

void mnl_attr_put_u8(struct nlmsghdr *message, uint16_t type, uint8_t data)
{
	mnl_attr_put(message, type, sizeof(data), &data);
}

void mnl_attr_put_u16(struct nlmsghdr *message, uint16_t type, uint16_t data)
{
	mnl_attr_put(message, type, sizeof(data), &data);
}

void mnl_attr_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t data)
{
	mnl_attr_put(message, type, sizeof(data), &data);
}

void mnl_attr_put_u64(struct nlmsghdr *message, uint16_t type, uint64_t data)
{
	mnl_attr_put(message, type, sizeof(data), &data);
}

void mnl_attr_put_str(struct nlmsghdr *message, uint16_t type, const char *data)
{
	mnl_attr_put(message, type, strlen(data), data);
}

void mnl_attr_put_strz(struct nlmsghdr *message, uint16_t type, const char *data)
{
	mnl_attr_put(message, type, strlen(data) + 1, data);
}

struct nlattr *mnl_attr_nest_start(struct nlmsghdr *message, uint16_t type)
{
	struct nlattr *attribute = message_end(message);

	attribute->nla_type = NLA_F_NESTED | type;
	message->nlmsg_len += MNL_ATTR_HDRLEN;
	return attribute;
}

void mnl_attr_nest_end(struct nlmsghdr *message, struct nlattr *attribute)
{
	attribute->nla_len = (char *)message_end(message) - (char *)attribute;
}

/* Attributes read. */

uint16_t mnl_attr_get_type(const struct nlattr *attribute)
{
	return attribute->nla_type & NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *attribute)
{
	return attribute->nla_len - MNL_ATTR_HDRLEN;
}

void *mnl_attr_get_payload(const struct nlattr *attribute)
{
	return (char *)attribute + MNL_ATTR_HDRLEN;
}

uint8_t mnl_attr_get_u8(const struct nlattr *attribute)
{
	uint8_t data;

	memcpy(&data, mnl_attr_get_payload(attribute), sizeof(data));
	return data;
}

uint16_t mnl_attr_get_u16(const struct nlattr *attribute)
{
	uint16_t data;

	memcpy(&data, mnl_attr_get_payload(attribute), sizeof(data));
	return data;
}

uint32_t mnl_attr_get_u32(const struct nlattr *attribute)
{
	uint32_t data;

	memcpy(&data, mnl_attr_get_payload(attribute), sizeof(data));
	return data;
}

uint64_t mnl_attr_get_u64(const struct nlattr *attribute)
{
	uint64_t data;

	memcpy(&data, mnl_attr_get_payload(attribute), sizeof(data));
	return data;
}

const char *mnl_attr_get_str(const struct nlattr *attribute)
{
	return mnl_attr_get_payload(attribute);
}

bool mnl_attr_ok(const struct nlattr *attribute, int length)
{
	return length >= (int)sizeof(*attribute) && attribute->nla_len >= sizeof(*attribute) &&
	       attribute->nla_len <= length;
}

struct nlattr *mnl_attr_next(const struct nlattr *attribute)
{
	return (struct nlattr *)((char *)attribute + MNL_ALIGN(attribute->nla_len));
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

int mnl_attr_type_valid(const struct nlattr *attribute, uint16_t maximum)
{
	return mnl_attr_get_type(attribute) > maximum ? refuse(EOPNOTSUPP) : 1;
}

int mnl_attr_validate(const struct nlattr *attribute, enum mnl_attr_data_type type)
{
	static const size_t sizes[MNL_TYPE_MAX] = {
		[MNL_TYPE_U8] = sizeof(uint8_t),   [MNL_TYPE_U16] = sizeof(uint16_t),
		[MNL_TYPE_U32] = sizeof(uint32_t), [MNL_TYPE_U64] = sizeof(uint64_t),
		[MNL_TYPE_MSECS] = sizeof(uint64_t),
	};
	size_t length = mnl_attr_get_payload_len(attribute);
	const char *data = mnl_attr_get_payload(attribute);

	if ((unsigned int)type >= MNL_TYPE_MAX)
		return refuse(EINVAL);
	if (sizes[type] != 0)
		return length == sizes[type] ? 0 : refuse(ERANGE);
	switch (type) {
	case MNL_TYPE_FLAG:
		return length == 0 ? 0 : refuse(ERANGE);
	case MNL_TYPE_STRING:
		return length > 0 ? 0 : refuse(ERANGE);
	case MNL_TYPE_NUL_STRING:
		if (length == 0)
			return refuse(ERANGE);
		return data[length - 1] == '\0' ? 0 : refuse(EINVAL);
	case MNL_TYPE_NESTED:
		return length == 0 || length >= MNL_ATTR_HDRLEN ? 0 : refuse(ERANGE);
	default:
		return 0;
	}
}

static int visit(const char *from, const char *end, mnl_attr_cb_t visitor, void *data)
{
	const struct nlattr *attribute = (const struct nlattr *)from;

	while (mnl_attr_ok(attribute, (int)(end - (const char *)attribute))) {
		int result = visitor(attribute, data);

		if (result <= MNL_CB_STOP)
			return result;
		attribute = mnl_attr_next(attribute);
	}
	return MNL_CB_OK;
}

int mnl_attr_parse(const struct nlmsghdr *message, unsigned int offset, mnl_attr_cb_t visitor, void *data)
{
	const char *payload = mnl_nlmsg_get_payload(message);

	return visit(payload + MNL_ALIGN(offset), message_end(message), visitor, data);
}

int mnl_attr_parse_nested(const struct nlattr *attribute, mnl_attr_cb_t visitor, void *data)
{
	const char *payload = mnl_attr_get_payload(attribute);

	return visit(payload, payload + mnl_attr_get_payload_len(attribute), visitor, data);
}

/* Sockets: none. */

struct mnl_socket *mnl_socket_open(int bus)
{
	(void)bus;
	errno = EOPNOTSUPP;
	return NULL;
}

int mnl_socket_bind(struct mnl_socket *socket, unsigned int groups, pid_t port)
{
	(void)socket, (void)groups, (void)port;
	return refuse(EOPNOTSUPP);
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *socket)
{
	(void)socket;
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *buffer, size_t length)
{
	(void)socket, (void)buffer, (void)length;
	return refuse(EOPNOTSUPP);
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *socket, void *buffer, size_t size)
{
	(void)socket, (void)buffer, (void)size;
	return refuse(EOPNOTSUPP);
}

int mnl_socket_close(struct mnl_socket *socket)
{
	(void)socket;
	return refuse(EOPNOTSUPP);
}

int mnl_cb_run(const void *buffer, size_t length, unsigned int sequence, unsigned int port, mnl_cb_t visitor, void *data)
{
	(void)buffer, (void)length, (void)sequence, (void)port, (void)visitor, (void)data;
	return refuse(EOPNOTSUPP);
}
