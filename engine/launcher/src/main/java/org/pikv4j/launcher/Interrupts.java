package org.pikv4j.launcher;

import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What Ctrl-C does to the launcher itself: nothing, because the terminal sends it to the child as well, and the child
 * decides.
 *
 * <p>A SIGINT that some other program sends to the launcher alone is passed on, else it would be lost. Java cannot tell who
 * sent a signal. Without a terminal the case is clear; with one, the launcher waits whether the child ends by itself, and
 * then makes sure. A child that handles SIGINT in its own way and stays alive may thus hear of one Ctrl-C twice, a fifth
 * of a second apart.
 *
 * <p>Java can send SIGTERM only, hence the {@code kill} command. {@code sun.misc.Signal} is reached by reflection because
 * javac warns about it in a way that no option silences; where it is missing, the launcher's shutdown hook ends the child.
 */
final class Interrupts {
    private Interrupts() {}

    @SuppressWarnings("ReferenceEquality") // a handler equals itself only
    static void leaveTo(CompletableFuture<Process> started) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            // A handler that does nothing, not SIG_IGN: a child would inherit that one.
            InvocationHandler onSignal = (proxy, method, arguments) -> switch (method.getName()) {
                case "handle" -> {
                    Process child = started.join();
                    if (mayComeFromTerminal()) {
                        child.waitFor(200, TimeUnit.MILLISECONDS);
                    }
                    if (child.isAlive()) {
                        passOn(child);
                    }
                    yield null;
                }
                case "equals" -> proxy == arguments[0];
                case "hashCode" -> System.identityHashCode(proxy);
                default -> "launcher";
            };
            Object instance =
                    Proxy.newProxyInstance(Interrupts.class.getClassLoader(), new Class<?>[] {handler}, onSignal);
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("INT"), instance);
        } catch (ReflectiveOperationException | RuntimeException e) {
            // As described above: the shutdown hook is what is left.
            return;
        }
    }

    /** Whether this process is in the foreground of a terminal, where Ctrl-C goes to the child too. */
    private static boolean mayComeFromTerminal() {
        try {
            // pid (name) state parent group session terminal foreground-group ...; the name may hold anything.
            String stat = Files.readString(Path.of("/proc/self/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return fields[2].equals(fields[5]);
        } catch (IOException | RuntimeException e) {
            return true; // no /proc to look at
        }
    }

    private static void passOn(Process child) {
        try {
            new ProcessBuilder("kill", "-INT", Long.toString(child.pid())).start();
        } catch (IOException e) {
            child.toHandle().destroy();
        }
    }
}
