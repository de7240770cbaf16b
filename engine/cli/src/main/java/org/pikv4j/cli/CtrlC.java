package org.pikv4j.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Takes Ctrl-C away from the JVM, for programs that go on after it. Commands that end with it use {@link Interruption}.
 *
 * <p>{@code sun.misc.Signal} is reached by reflection because javac warns about it in a way that no option silences.
 */
public final class CtrlC {
    /** The launcher may pass one Ctrl-C on a moment after the terminal did: what follows so soon is the same one. */
    private static final long ECHO_NANOS = TimeUnit.MILLISECONDS.toNanos(600);

    private CtrlC() {}

    /**
     * @param action what Ctrl-C does from now on; runs on a thread of the JVM
     * @return whether this JVM allows it; if not, Ctrl-C ends the process as ever
     */
    @SuppressWarnings("ReferenceEquality") // a handler equals itself only
    public static boolean does(Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            AtomicLong last = new AtomicLong(System.nanoTime() - ECHO_NANOS - 1);
            InvocationHandler onSignal = (proxy, method, arguments) -> switch (method.getName()) {
                case "handle" -> {
                    long now = System.nanoTime();
                    if (now - last.getAndSet(now) > ECHO_NANOS) {
                        action.run();
                    }
                    yield null;
                }
                case "equals" -> proxy == arguments[0];
                case "hashCode" -> System.identityHashCode(proxy);
                default -> "Ctrl-C";
            };
            Object instance = Proxy.newProxyInstance(CtrlC.class.getClassLoader(), new Class<?>[] {handler}, onSignal);
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("INT"), instance);
            return true;
        } catch (ReflectiveOperationException | RuntimeException e) {
            return false;
        }
    }
}
