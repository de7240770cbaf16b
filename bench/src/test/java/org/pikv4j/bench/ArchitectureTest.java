package org.pikv4j.bench;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.core.importer.Locations;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The arrows between the modules.
 *
 * <pre>
 *                  engine/core
 *         ↗             ↑           ↖
 * model-loader     cpu-fallback     tornado-tasks
 *         ↖             ↑           ↗
 *                 engine/library
 *                       ↑
 *                  engine/cli
 *               ↗              ↖
 *          engine/app         bench
 * </pre>
 *
 * <p>Maven enforces most of it; what it cannot see is which module a library is for, and cycles inside of one. This test
 * is in bench because bench sees all but the app, whose classes it takes from where Maven has put them.
 */
class ArchitectureTest {
    private static final DescribedPredicate<JavaClass> LOADER = resideInAPackage("org.pikv4j.loader..");
    private static final DescribedPredicate<JavaClass> CPU = resideInAPackage("org.pikv4j.cpu..");
    private static final DescribedPredicate<JavaClass> TORNADO = resideInAPackage("org.pikv4j.tornado..");
    private static final DescribedPredicate<JavaClass> LIBRARY =
            resideInAnyPackage("org.pikv4j", "org.pikv4j.calibration..", "org.pikv4j.trace..");
    private static final DescribedPredicate<JavaClass> CLI = resideInAPackage("org.pikv4j.cli..");
    private static final DescribedPredicate<JavaClass> APP = resideInAPackage("org.pikv4j.app..");
    private static final DescribedPredicate<JavaClass> BENCH = resideInAPackage("org.pikv4j.bench..");
    private static final DescribedPredicate<JavaClass> LAUNCHER = resideInAPackage("org.pikv4j.launcher..");

    /** Whatever is left: a package that is new is core's, and bound by core's rules, until this list says otherwise. */
    private static final DescribedPredicate<JavaClass> CORE = resideInAPackage("org.pikv4j..")
            .and(not(LOADER.or(CPU)
                    .or(TORNADO)
                    .or(LIBRARY)
                    .or(CLI)
                    .or(APP)
                    .or(BENCH)
                    .or(LAUNCHER)))
            .as("core");

    /** What every class may use. Primitive types and their arrays are in the package with no name. */
    private static final DescribedPredicate<JavaClass> BASICS =
            resideInAnyPackage("", "java..", "org.slf4j..", "org.jspecify..").as("the JDK, slf4j, jspecify");

    private static JavaClasses all;

    @BeforeAll
    static void readClasses() {
        Set<Location> locations = new HashSet<>(Locations.ofPackage("org.pikv4j"));
        Path app = Path.of("..", "engine", "app", "target", "classes");
        if (Files.isDirectory(app)) {
            locations.add(Location.of(app));
        }
        all = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(location -> !location.contains("-tests.jar")) // core's
                .importLocations(locations);
    }

    /** A module may still be without a class, and is then within every rule. */
    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(all);
    }

    @Test
    void theModulesWereFound() {
        assertThat(all.stream().filter(CORE)).isNotEmpty();
        assertThat(all.stream().filter(LIBRARY)).isNotEmpty();
        assertThat(all.stream().filter(CLI)).isNotEmpty();
        assertThat(all.stream().filter(BENCH)).isNotEmpty();
        assertThat(all.stream().filter(LAUNCHER)).isNotEmpty();
    }

    @Test
    void coreStandsOnTheJdkAlone() {
        check(classes().that(CORE).should().onlyDependOnClassesThat(CORE.or(BASICS)));
    }

    @Test
    void theSiblingsDoNotSeeEachOther() {
        check(noClasses()
                .that(LOADER)
                .should()
                .dependOnClassesThat(CPU.or(TORNADO).or(LIBRARY)));
        check(noClasses()
                .that(CPU)
                .should()
                .dependOnClassesThat(LOADER.or(TORNADO).or(LIBRARY)));
        check(noClasses()
                .that(TORNADO)
                .should()
                .dependOnClassesThat(LOADER.or(CPU).or(LIBRARY)));
    }

    @Test
    void nothingDependsOnTheRoots() {
        check(noClasses().that(not(CLI.or(APP).or(BENCH))).should().dependOnClassesThat(CLI));
        check(noClasses().that(not(APP)).should().dependOnClassesThat(APP));
        check(noClasses().that(not(BENCH)).should().dependOnClassesThat(BENCH));
        check(noClasses().that(not(LAUNCHER)).should().dependOnClassesThat(LAUNCHER));
    }

    @Test
    void theLauncherStandsAlone() {
        check(classes()
                .that(LAUNCHER)
                .should()
                .onlyDependOnClassesThat(LAUNCHER.or(resideInAnyPackage("", "java..", "org.jspecify.."))));
    }

    @Test
    void eachLibraryHasItsPlace() {
        only(CPU, "jdk.incubator.vector..");
        only(TORNADO, "uk.ac.manchester.tornado..");
        only(LIBRARY, "org.ejml..");
        only(LOADER.or(CLI).or(APP).or(BENCH), "tools.jackson..", "com.fasterxml.jackson..");
        only(CLI.or(APP).or(BENCH), "picocli..", "ch.qos.logback..", "me.tongfei.progressbar..", "org.jline..");
        only(BENCH, "org.openjdk.jmh..", "org.knowm.xchart..");
    }

    private static void only(DescribedPredicate<JavaClass> users, String... packages) {
        check(noClasses().that(not(users)).should().dependOnClassesThat().resideInAnyPackage(packages));
    }

    @Test
    void onlyTheCommandLinesAndTheLauncherTalkToTheConsole() {
        check(noClasses().that(not(CLI.or(APP).or(BENCH).or(LAUNCHER))).should(ACCESS_STANDARD_STREAMS));
    }

    @Test
    void corePackagesAreFreeOfCycles() {
        check(slices().assignedFrom(new CorePackages()).should().beFreeOfCycles());
    }

    /** One slice per package directly below {@code org.pikv4j}, with all that is below it. */
    private static final class CorePackages implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            if (!CORE.test(javaClass)) {
                return SliceIdentifier.ignore();
            }
            String below = javaClass.getPackageName().substring("org.pikv4j.".length());
            int dot = below.indexOf('.');
            return SliceIdentifier.of(dot < 0 ? below : below.substring(0, dot));
        }

        @Override
        public String getDescription() {
            return "the packages of core";
        }
    }
}
