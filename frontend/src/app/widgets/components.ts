/** The components by the names of their types. */

import type { ComponentType } from 'react'

import { Badge } from './Badge'
import { Basic } from './Basic'
import { Box } from './Box'
import { Button } from './Button'
import { Caption } from './Caption'
import { Card } from './Card'
import { Chart } from './Chart'
import { Col } from './Col'
import type { ComponentProps } from './Component'
import { Divider } from './Divider'
import { Icon } from './Icon'
import { Image } from './Image'
import { ListView } from './ListView'
import { ListViewItem } from './ListViewItem'
import { Markdown } from './Markdown'
import { Row } from './Row'
import { Spacer } from './Spacer'
import { Table, TableRow } from './Table'
import { TableCell } from './TableCell'
import { Text } from './Text'
import { Title } from './Title'
import { Transition } from './Transition'

export const components: Readonly<Record<string, ComponentType<ComponentProps>>> = {
  Badge,
  Basic,
  Box,
  Button,
  Caption,
  Card,
  Chart,
  Col,
  Divider,
  Icon,
  Image,
  ListView,
  ListViewItem,
  Markdown,
  Row,
  Spacer,
  Table,
  'Table.Cell': TableCell,
  'Table.Row': TableRow,
  Text,
  Title,
  Transition,
}
