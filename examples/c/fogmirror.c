/*
 * A turning pyramid of boxes over a floor that mirrors it, in fog. The mirror is drawn where the stencil buffer has the
 * floor, and cut at it by a clip plane.
 *
 * Builds against OpenGL with GLUT, and against Blink.
 */
#ifdef BLINKGL
#include <blinkglut.h>
#else
#include <GL/glut.h>
#endif

#include <stdlib.h>

enum { BOX = 1 };

static void box(void)
{
    static const GLfloat normals[6][3] = {{0, 0, 1}, {0, 0, -1}, {1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}};
    static const GLfloat corners[6][4][3] = {
        {{-1, -1, 1}, {1, -1, 1}, {1, 1, 1}, {-1, 1, 1}},
        {{1, -1, -1}, {-1, -1, -1}, {-1, 1, -1}, {1, 1, -1}},
        {{1, -1, 1}, {1, -1, -1}, {1, 1, -1}, {1, 1, 1}},
        {{-1, -1, -1}, {-1, -1, 1}, {-1, 1, 1}, {-1, 1, -1}},
        {{-1, 1, 1}, {1, 1, 1}, {1, 1, -1}, {-1, 1, -1}},
        {{-1, -1, -1}, {1, -1, -1}, {1, -1, 1}, {-1, -1, 1}},
    };
    int face, corner;

    glBegin(GL_QUADS);
    for (face = 0; face < 6; face++) {
        glNormal3fv(normals[face]);
        for (corner = 0; corner < 4; corner++)
            glVertex3fv(corners[face][corner]);
    }
    glEnd();
}

static void init(void)
{
    static const GLfloat haze[4] = {0.55f, 0.6f, 0.7f, 1.0f};

    glClearColor(0.55f, 0.6f, 0.7f, 1.0f);
    glClearStencil(0);
    glEnable(GL_DEPTH_TEST);
    glEnable(GL_LIGHT0);
    glEnable(GL_NORMALIZE);
    glEnable(GL_COLOR_MATERIAL);
    glEnable(GL_FOG);
    glFogi(GL_FOG_MODE, GL_LINEAR);
    glFogf(GL_FOG_START, 8.0f);
    glFogf(GL_FOG_END, 22.0f);
    glFogfv(GL_FOG_COLOR, haze);
    glNewList(BOX, GL_COMPILE);
    box();
    glEndList();
}

static void reshape(int width, int height)
{
    glViewport(0, 0, width, height);
    glMatrixMode(GL_PROJECTION);
    glLoadIdentity();
    gluPerspective(45.0, height > 0 ? (double)width / height : 1.0, 1.0, 60.0);
    glMatrixMode(GL_MODELVIEW);
}

static void scene(double time)
{
    int i;

    for (i = 0; i < 4; i++) {
        glPushMatrix();
        glTranslatef(0.0f, 0.5f + i * 0.95f, 0.0f);
        glRotatef((GLfloat)(time * 25.0 * (i % 2 == 0 ? 1.0 : -1.0) + i * 20.0), 0.0f, 1.0f, 0.0f);
        glScalef(1.2f - i * 0.26f, 0.45f, 1.2f - i * 0.26f);
        glColor3f(0.9f - i * 0.2f, 0.35f + i * 0.1f, 0.2f + i * 0.2f);
        glCallList(BOX);
        glPopMatrix();
    }
    /* Posts that go into the fog. */
    for (i = 0; i < 6; i++) {
        glPushMatrix();
        glTranslatef(i % 2 == 0 ? -3.0f : 3.0f, 1.0f, 2.0f - 4.0f * (i / 2));
        glScalef(0.25f, 1.0f, 0.25f);
        glColor3f(0.8f, 0.75f, 0.4f);
        glCallList(BOX);
        glPopMatrix();
    }
}

static void floor_quad(void)
{
    glBegin(GL_QUADS);
    glNormal3f(0.0f, 1.0f, 0.0f);
    glVertex3f(-5.0f, 0.0f, 4.0f);
    glVertex3f(5.0f, 0.0f, 4.0f);
    glVertex3f(5.0f, 0.0f, -14.0f);
    glVertex3f(-5.0f, 0.0f, -14.0f);
    glEnd();
}

static void display(void)
{
    static const GLfloat sun[4] = {3.0f, 6.0f, 4.0f, 0.0f};
    static const GLdouble above[4] = {0.0, 1.0, 0.0, 0.0};
    double time = glutGet(GLUT_ELAPSED_TIME) / 1000.0;

    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
    glLoadIdentity();
    gluLookAt(0.0, 3.6, 10.0, 0.0, 1.4, 0.0, 0.0, 1.0, 0.0);

    /* Where the floor is. */
    glEnable(GL_STENCIL_TEST);
    glStencilFunc(GL_ALWAYS, 1, 0xff);
    glStencilOp(GL_KEEP, GL_KEEP, GL_REPLACE);
    glColorMask(GL_FALSE, GL_FALSE, GL_FALSE, GL_FALSE);
    glDepthMask(GL_FALSE);
    floor_quad();
    glColorMask(GL_TRUE, GL_TRUE, GL_TRUE, GL_TRUE);
    glDepthMask(GL_TRUE);

    /* The mirrored scene, there only. */
    glStencilFunc(GL_EQUAL, 1, 0xff);
    glStencilOp(GL_KEEP, GL_KEEP, GL_KEEP);
    glPushMatrix();
    glScalef(1.0f, -1.0f, 1.0f);
    glLightfv(GL_LIGHT0, GL_POSITION, sun);
    glClipPlane(GL_CLIP_PLANE0, above);
    glEnable(GL_CLIP_PLANE0);
    glEnable(GL_LIGHTING);
    scene(time);
    glDisable(GL_CLIP_PLANE0);
    glPopMatrix();

    /* The floor over it. */
    glDisable(GL_LIGHTING);
    glEnable(GL_BLEND);
    glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
    glColor4f(0.35f, 0.42f, 0.5f, 0.6f);
    floor_quad();
    glDisable(GL_BLEND);
    glDisable(GL_STENCIL_TEST);

    glEnable(GL_LIGHTING);
    glLightfv(GL_LIGHT0, GL_POSITION, sun);
    scene(time);
    glDisable(GL_LIGHTING);
    glutSwapBuffers();
}

static void keyboard(unsigned char key, int x, int y)
{
    (void)x;
    (void)y;
    if (key == 27)
        exit(0);
}

int main(int argc, char **argv)
{
    glutInit(&argc, argv);
    glutInitDisplayMode(GLUT_RGB | GLUT_DOUBLE | GLUT_DEPTH | GLUT_STENCIL);
    glutInitWindowSize(360, 300);
    glutCreateWindow("Fog and mirror");
    init();
    glutDisplayFunc(display);
    glutReshapeFunc(reshape);
    glutKeyboardFunc(keyboard);
    glutIdleFunc(glutPostRedisplay);
    glutMainLoop();
    return 0;
}
