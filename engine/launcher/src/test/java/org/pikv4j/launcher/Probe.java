package org.pikv4j.launcher;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Stands in for a real main. */
public final class Probe {
    private Probe() {}

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "echo" -> {
                for (int i = 2; i < args.length; i++) {
                    System.out.print("[" + args[i] + "]");
                }
                System.out.println();
                System.out.println(
                        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine());
                boolean vector =
                        ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
                System.out.println("vector " + vector + " jar " + System.getProperty("probe.jar") + " user "
                        + System.getProperty("probe.user"));
                System.err.println("to stderr");
                System.exit(Integer.parseInt(args[1]));
            }
            case "read" -> {
                for (int i = 1; i < args.length; i++) {
                    System.out.print("[" + Files.readString(Path.of(args[i].replace("--file=", ""))) + "]");
                }
            }
            case "complain" -> {
                for (int line = 0; line < 10_000; line++) {
                    System.err.println("a line of many that nobody reads " + line);
                }
                System.exit(3);
            }
            case "wait" -> {
                Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    System.out.println("ended in order");
                    System.out.flush();
                    System.err.println("last words");
                }));
                System.out.println("waiting");
                Thread.sleep(300_000);
            }
            default -> throw new IllegalStateException("on purpose");
        }
    }
}
