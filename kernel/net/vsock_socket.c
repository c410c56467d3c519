/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_VSOCK stream sockets: the vsock layer as programs see it, vsock(7). */
#include <linux/socket.h>
#include <linux/vm_sockets.h>
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"
#include "kernel/net/vsock.h"
#include "kernel/net/vsock_socket.h"

struct vsock_sock {
	struct socket *s;
	struct vsock_listener listener;
	uint32_t port;
	bool listening;
};

static void export(uint64_t cid, uint32_t port, struct sock_addr *a)
{
	struct sockaddr_vm *vm = (void *)a->bytes;

	memset(a, 0, sizeof(*a));
	a->len = sizeof(*vm);
	vm->svm_family = AF_VSOCK;
	vm->svm_cid = (uint32_t)cid;
	vm->svm_port = port;
}

static int import(const struct sock_addr *a, const struct sockaddr_vm **vm)
{
	*vm = (const void *)a->bytes;
	if (a->len < sizeof(**vm))
		return -EINVAL;
	return a->family == AF_VSOCK ? 0 : -EAFNOSUPPORT;
}

static int vs_bind(struct socket *s, const struct sock_addr *a)
{
	struct vsock_sock *v = s->priv;
	const struct sockaddr_vm *vm;
	int err = import(a, &vm);

	if (err)
		return err;
	if (s->bound)
		return -EINVAL;
	if (vm->svm_cid != VMADDR_CID_ANY && vm->svm_cid != vsock_cid())
		return -EADDRNOTAVAIL;
	v->port = vm->svm_port == VMADDR_PORT_ANY ? 0 : vm->svm_port;
	s->bound = true;
	export(vm->svm_cid, v->port, &s->local);
	return 0;
}

static bool vs_accept(struct vsock_listener *l, struct vsock_conn *c)
{
	struct vsock_sock *v = l->owner;
	struct sock_addr local, peer;

	export(vsock_cid(), c->local_port, &local);
	export(c->peer_cid, c->peer_port, &peer);
	return socket_queue_push(v->s, &c->s, &local, &peer);
}

static bool vs_has_room(struct vsock_listener *l)
{
	struct vsock_sock *v = l->owner;

	return socket_queue_has_room(v->s);
}

static int vs_listen(struct socket *s)
{
	struct vsock_sock *v = s->priv;
	int err = -EADDRINUSE;

	v->listener = (struct vsock_listener){.port = v->port,
	    .accept = vs_accept,
	    .has_room = vs_has_room,
	    .owner = v};
	if (v->port)
		err = vsock_listen(&v->listener);
	for (uint32_t port = 1024; !v->port && err && port < 65536; port++) {
		v->listener.port = port;
		err = vsock_listen(&v->listener);
	}
	if (err)
		return err;
	v->port = v->listener.port;
	export(VMADDR_CID_ANY, v->port, &s->local);
	s->bound = v->listening = s->listening = true;
	return 0;
}

static int vs_connect(struct socket *s, const struct sock_addr *a)
{
	const struct sockaddr_vm *vm;
	struct vsock_conn *c;
	int err = import(a, &vm);

	if (err)
		return err;
	if (vm->svm_cid != VMADDR_CID_HOST)
		return -ENETUNREACH;
	c = vsock_connect(vm->svm_port, NULL, NULL, &err);
	if (!c)
		return err;
	s->stream = &c->s;
	export(vsock_cid(), c->local_port, &s->local);
	return -EINPROGRESS;
}

static bool vs_is_connecting(struct socket *s)
{
	return s->stream && vsock_of(s->stream)->state == VSOCK_CONNECTING;
}

static int vs_connect_result(struct socket *s)
{
	return s->stream ? vsock_take_error(vsock_of(s->stream)) : 0;
}

static int vs_setsockopt(struct socket *s, int level, int name, int v)
{
	(void)s, (void)level, (void)name, (void)v;
	return -ENOPROTOOPT;
}

static int vs_getsockopt(struct socket *s, int level, int name, int *v)
{
	(void)s, (void)level, (void)name, (void)v;
	return -ENOPROTOOPT;
}

static void vs_release(struct socket *s)
{
	struct vsock_sock *v = s->priv;

	if (v && v->listening) {
		vsock_unlisten(&v->listener);
		vsock_listener_wait(&v->listener);
	}
	kfree(v);
}

static const struct socket_ops vs_ops = {
    .bind = vs_bind,
    .listen = vs_listen,
    .unlisten = socket_no_unlisten,
    SOCKET_STREAM_OPS,
    .connect_start = vs_connect,
    .connect_result = vs_connect_result,
    .is_connecting = vs_is_connecting,
    .setsockopt = vs_setsockopt,
    .getsockopt = vs_getsockopt,
    .release = vs_release,
};

int vsock_socket(struct socket *s)
{
	struct vsock_sock *v;

	if (!vsock_cid())
		return -EAFNOSUPPORT;
	if (s->type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	if (s->protocol)
		return -EPROTONOSUPPORT;
	v = kzalloc(sizeof(*v));
	if (!v)
		return -ENOBUFS;
	v->s = s;
	s->priv = v;
	s->ops = &vs_ops;
	export(VMADDR_CID_ANY, VMADDR_PORT_ANY, &s->local);
	return 0;
}
